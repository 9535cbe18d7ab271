import { invalid } from "@registry/domain";

/** Which form of a package's bytes somebody wants. */
export type WantedPacking =
  | { readonly type: "original" }
  | { readonly type: "tar.gz"; readonly topFolder: string }
  | { readonly type: "zip" };

/** The form that the original has, as far as it is known. */
export interface OriginalForm {
  readonly container?: string;
  /** The one folder that everything lies below; empty where files are at the root. */
  readonly topFolder?: string;
}

const part = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";
const topFolderPattern = new RegExp(`^(?:@${part}/)?${part}$`);

/** @throws kind `invalid_argument`, reason `INVALID_TOP_FOLDER` */
export function parseTopFolder(text: string): string {
  if (topFolderPattern.test(text) && !text.endsWith(".")) return text;
  throw invalid(
    "INVALID_TOP_FOLDER",
    "top_folder: expected a folder name of letters, digits and . _ -, optionally with @namespace/ in front",
    "/top_folder",
  );
}

/** Whether the original is what is wanted, so that nothing has to be derived. */
export function isAlready(original: OriginalForm, wanted: WantedPacking): boolean {
  switch (wanted.type) {
    case "original":
      return true;
    case "tar.gz":
      return original.container === "tar.gz" && original.topFolder === wanted.topFolder;
    case "zip":
      return original.container === "zip" && original.topFolder === "";
    default:
      return wanted satisfies never;
  }
}
