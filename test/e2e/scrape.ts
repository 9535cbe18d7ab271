import type { Stack } from "../stack/index.ts";
import { exchange } from "./http.ts";

/** What Prometheus reads of every process of a registry, one text after another. */
export async function scrapeAll({ health }: Pick<Stack, "health">): Promise<string> {
  const answers = await Promise.all([...health.values()].map((url) => exchange("GET", `${url}/metrics`)));
  return answers.map(({ text }) => text).join("\n");
}

/** Every value of a series, one for each process that tells it. @param series name with its labels as they are written */
export function valuesOf(text: string, series: string): number[] {
  const start = `${series} `;
  return text.split("\n").flatMap((line) => (line.startsWith(start) ? [Number(line.slice(start.length))] : []));
}
