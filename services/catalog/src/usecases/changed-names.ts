import { invalid, isPluginName } from "@registry/domain";
import type { Parts } from "../parts.ts";

const most = 100;

/**
 * Makes sure that an answer from memory knows of changes that its caller knows of.
 * @throws `invalid_argument`, reason `INVALID_NAME`
 */
export async function learnOf(parts: Parts, changedNames: readonly string[]): Promise<void> {
  if (changedNames.length > most) throw invalid("INVALID_NAME", `changed_names: at most ${most}`, "/changed_names");
  await parts.reread([...new Set(changedNames)].filter(isPluginName));
}
