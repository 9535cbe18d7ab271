import type { Setting } from "@registry/kit";
import { allSettings } from "./settings.ts";

/** Every setting with its default, for `serve --help`. */
export function settingsHelp(): string {
  const rows = Object.entries(allSettings).map(([name, setting]: [string, Setting<unknown>]) => {
    const fallback = setting.shownDefault === "" ? "" : ` (default: ${setting.shownDefault})`;
    return `  ${name.padEnd(26)} ${setting.description}${fallback}`;
  });
  return ["Settings, from the environment or the settings file:", ...rows].join("\n");
}
