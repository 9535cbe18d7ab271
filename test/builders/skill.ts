import { zipSync } from "fflate";

/** A bare Agent Skill: a SKILL.md at the root of a zip. It carries no version; the publisher gives one. */
export function skillZip({
  name,
  text = "# A skill\n",
}: {
  readonly name: string;
  readonly text?: string;
}): Uint8Array {
  const content = `---\nname: ${name}\ndescription: What ${name} teaches\n---\n${text}`;
  return zipSync({ "SKILL.md": new TextEncoder().encode(content) }, { mtime: "2026-01-01T00:00:00", level: 6 });
}
