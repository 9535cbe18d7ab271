import { invalid, isRegistryError, quote, RegistryError } from "./errors.ts";
import { type PluginName, parsePluginName } from "./names.ts";
import { parseVersion, type Version } from "./versions.ts";

/** A name and a version as some source gives them; empty where it gives none. */
export interface Claimed {
  readonly name: string;
  readonly version: string;
}

export interface Identity {
  readonly name: PluginName;
  readonly version: Version;
}

/**
 * What a package is called: the archive is the truth, the request fills in what the archive does not say and must not
 * contradict it. A namespace is something to fill in: formats whose names have none are published as `@namespace/name`.
 * @throws `rejected`, reasons `MANIFEST_MISMATCH`, `INVALID_NAME`, `RESERVED_NAME`, `INVALID_VERSION`
 */
export function readIdentity(carried: Claimed, requested: Claimed): Identity {
  const named = inNamespace(carried.name, requested.name) ? { ...carried, name: requested.name } : carried;
  assertAgree("name", named, requested);
  assertAgree("version", carried, requested);
  return {
    name: rejectIfInvalid(() => parsePluginName(given("name", named, requested))),
    version: rejectIfInvalid(() => parseVersion(given("version", carried, requested))),
  };
}

function inNamespace(carried: string, requested: string): boolean {
  return carried !== "" && requested.startsWith("@") && requested.slice(requested.indexOf("/") + 1) === carried;
}

function assertAgree(field: keyof Claimed, carried: Claimed, requested: Claimed): void {
  if (carried[field] === "" || requested[field] === "" || carried[field] === requested[field]) return;
  const found = `The archive holds ${field} ${quote(carried[field])}, the request says ${quote(requested[field])}`;
  const message = `${found}; make them agree`;
  throw new RegistryError("rejected", "MANIFEST_MISMATCH", message, {
    fields: [{ pointer: `/${field}`, reason: message }],
  });
}

function given(field: keyof Claimed, carried: Claimed, requested: Claimed): string {
  const text = carried[field] || requested[field];
  if (text !== "") return text;
  const message = `${field}: the package carries none, so send one in the form field ${field}`;
  throw invalid(`INVALID_${field.toUpperCase()}`, message, `/${field}`);
}

function rejectIfInvalid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    throw new RegistryError("rejected", error.reason, error.message, { fields: error.fields });
  }
}
