/** What a registry exports: the type of each metric, and the labels that its series had. */
export interface Exported {
  readonly types: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** @param text what scrapes of all its processes read */
export function readExported(text: string): Exported {
  const types = new Map<string, string>();
  const labels = new Map<string, Set<string>>();
  for (const line of text.split("\n")) {
    const [, family, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (family !== undefined && type !== undefined) types.set(family, type);
    const [, name, inside = ""] = /^([a-z_]\w*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const known = labels.get(name) ?? new Set();
    for (const [, label = ""] of inside.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) known.add(label);
    labels.set(name, known);
  }
  return { types, labels };
}

/** Metrics that a query asks for, with the labels that it picks them by. */
export function askedIn(query: string): { readonly metric: string; readonly labels: readonly string[] }[] {
  const asked = query.matchAll(/((?:registry|nodejs|process)[_:][\w:]+)(?:\{([^}]*)\})?/g);
  return [...asked].map(([, metric = "", inside = ""]) => ({
    metric,
    labels: [...inside.matchAll(/(\w+)\s*[=!]/g)].map(([, label = ""]) => label),
  }));
}

/** The family that a series of this name belongs to. */
export function familyOf(metric: string, { types }: Exported): string | undefined {
  if (types.has(metric)) return metric;
  const family = metric.replace(/_(?:bucket|sum|count)$/, "");
  return ["histogram", "summary"].includes(types.get(family) ?? "") ? family : undefined;
}
