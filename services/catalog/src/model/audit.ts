import type { AuditNote } from "@registry/kit";
import type { PluginDocument } from "./plugin.ts";
import type { ReleaseHead } from "./release.ts";

type Facts = { readonly [fact: string]: unknown };

/** What a row of the audit log is about: a plugin, or one of its releases. */
export function named(name: string, version = ""): { readonly target: string } {
  return { target: name === "" || version === "" ? name : `${name}@${version}` };
}

/** The same of what is known, with whose owners may read the row. */
export function auditTarget(
  plugin: Pick<PluginDocument, "_id">,
  version = "",
): Pick<AuditNote, "target" | "organisation"> {
  return named(plugin._id, version);
}

/** What can be changed of a plugin beside its releases. */
export function pluginFacts({ owner, visibility, verified, overrides, pins, deprecation }: PluginDocument): Facts {
  const channels = Object.fromEntries(Object.entries(pins).map(([channel, { version }]) => [channel, version]));
  return { owner, visibility, verified, ...overrides, channels, deprecation };
}

/** What can be changed of a release. */
export function releaseFacts({ state, reason, deprecation }: ReleaseHead): Facts {
  return { state, reason, deprecation };
}
