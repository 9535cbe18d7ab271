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
  plugin: Pick<PluginDocument, "_id" | "org">,
  version = "",
): Pick<AuditNote, "target" | "organisation"> {
  return { ...named(plugin._id, version), organisation: plugin.org };
}

/** What can be changed of a plugin beside its releases. */
export function pluginFacts(plugin: PluginDocument): Facts {
  const { owner, org, visibility, team, verified, overrides, pins, deprecation, collaborators = [] } = plugin;
  const roles = Object.fromEntries(collaborators.map(({ username, role }) => [username, role]));
  const channels = Object.fromEntries(Object.entries(pins).map(([channel, { version }]) => [channel, version]));
  return {
    owner,
    owner_type: org === undefined ? "user" : "organisation",
    roles,
    visibility,
    team,
    verified,
    ...overrides,
    channels,
    deprecation,
  };
}

/** What can be changed of a release. */
export function releaseFacts({ state, reason, deprecation }: ReleaseHead): Facts {
  return { state, reason, deprecation };
}
