import { scanDecoded } from "@registry/archive/texts";
import { invalid, isPlainText, judge, type Policy, RegistryError } from "@registry/domain";

/** @throws `invalid_argument` INVALID_REASON */
export function assertReason(reason: string): void {
  if (isPlainText(reason)) return;
  throw invalid(
    "INVALID_REASON",
    "reason: use no control characters and none that change the direction of text",
    "/reason",
  );
}

/**
 * Holds texts that are given beside a package to what its own texts are held to: agents read the one like the other.
 * There is no reviewer to wait for, so what the policy would hold is refused as well.
 * @throws `rejected` CHECKS_FAILED
 */
export function assertHarmless(texts: { readonly [field: string]: string }, policy: Policy): void {
  const { findings } = judge(scanDecoded({ file: "", json: texts }), policy);
  const failing = findings.filter(({ action }) => action === "refuse" || action === "hold");
  if (failing.length === 0) return;
  throw new RegistryError("rejected", "CHECKS_FAILED", `The text was refused: ${failing[0]?.message ?? ""}`, {
    fields: failing.map(({ pointer = "", rule, message }) => ({ pointer, reason: `${rule}: ${message}` })),
  });
}
