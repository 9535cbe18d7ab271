import { invalid, quote } from "@registry/domain";
import { flagWords, isYes } from "./input.ts";

/** The fields of a publish form that are text. */
const fieldNames = ["name", "version", "visibility", "channel", "owner", "team", "sha256", "dry_run"] as const;
export type FieldName = (typeof fieldNames)[number];

const known = [...fieldNames, "package", "manifest"] as const;
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/**
 * Which of our fields a form field is; undefined for a field of somebody else's, which is passed over.
 * @throws `invalid_argument` INVALID_FIELD for one of ours in another spelling: what it asks for, such as not to publish
 *   for ever, would otherwise go unheard
 */
export function fieldNamed(given: string): FieldName | undefined {
  const name = fieldNames.find((each) => each === given);
  if (name !== undefined) return name;
  const meant = known.find((each) => bare(each) === bare(given));
  if (meant === undefined) return undefined;
  const what = meant === "package" || meant === "manifest" ? "file" : "field";
  throw invalid("INVALID_FIELD", `${quote(given)} is not known here; name the ${what} ${quote(meant)}`, `/${meant}`);
}

/**
 * Whether a publish is only tried: the query or the form says so.
 * @throws `invalid_argument` INVALID_FIELD for another word than a query takes, or where the two contradict each other
 */
export function isDryRun(inQuery: boolean | undefined, inForm: string | undefined): boolean {
  if (inForm === undefined) return inQuery === true;
  const word = flagWords.find((each) => each === inForm);
  if (word === undefined)
    throw invalid("INVALID_FIELD", `dry_run: expected one of ${flagWords.join(", ")}`, "/dry_run");
  if (inQuery !== undefined && inQuery !== isYes(word)) {
    throw invalid("INVALID_FIELD", "dry_run: the query and the form contradict each other; say it once", "/dry_run");
  }
  return isYes(word);
}
