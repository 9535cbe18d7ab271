import { pointerPart } from "../formats/violations.ts";
import type { DecodedManifest, Finding, Json } from "../inspection.ts";
import { scanCharacters } from "./characters.ts";
import { scanInstructions } from "./instructions.ts";

interface Place {
  readonly pointer: string;
  readonly text: string;
}

/**
 * Descriptions, capabilities, endpoints and every other text of a manifest, as clients and agents get them: an escape
 * hides nothing here. Keys are read too. Findings carry a pointer instead of a line.
 */
export function scanDecoded({ file, json }: DecodedManifest): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { pointer, text } of placesOf(json, "")) {
    for (const finding of [...scanCharacters(text, file), ...scanInstructions(text, file, "description")]) {
      const { line: _line, ...rest } = finding;
      findings.push({ ...rest, pointer });
    }
  }
  return findings;
}

/** Nesting is bounded by the readers of manifests. */
function* placesOf(value: Json, pointer: string): Generator<Place> {
  if (typeof value === "string") yield { pointer, text: value };
  else if (isList(value)) {
    for (const [index, item] of value.entries()) yield* placesOf(item, `${pointer}/${index}`);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const at = `${pointer}/${pointerPart(key)}`;
      yield { pointer: at, text: key };
      yield* placesOf(item, at);
    }
  }
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
