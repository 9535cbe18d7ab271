/** A copy without the keys whose value is undefined: what is unknown is absent, in JSON and in a clone alike. */
export function present<T extends object>(value: T): T {
  const copy = { ...value };
  for (const key of Object.keys(copy) as (keyof T)[]) if (copy[key] === undefined) delete copy[key];
  return copy;
}
