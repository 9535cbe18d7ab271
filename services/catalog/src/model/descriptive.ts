/** What a package says of itself. */
export type Descriptive = {
  readonly kind: string;
  readonly title: string;
  readonly description: string;
  readonly author: AuthorRecord;
  readonly license: string;
  /** Empty or an http(s) URL, as the next two. */
  readonly homepage: string;
  readonly repository: string;
  readonly documentation: string;
  readonly tags: readonly string[];
  readonly category: string;
  readonly capabilities: readonly string[];
};
export type AuthorRecord = { readonly name: string; readonly email: string; readonly url: string };

export const nothingDescribed: Descriptive = {
  kind: "",
  title: "",
  description: "",
  author: { name: "", email: "", url: "" },
  license: "",
  homepage: "",
  repository: "",
  documentation: "",
  tags: [],
  category: "",
  capabilities: [],
};

const mostItems = 100;

/** Reads the normalised record of an upload; whatever is missing or of another type is empty. */
export function readDescriptive(kind: string, recordJson: string): Descriptive {
  const record = objectOf(parse(recordJson));
  const author = objectOf(record.author);
  return {
    kind,
    title: text(record.title, 200),
    description: text(record.description, 1000),
    author: { name: text(author.name, 200), email: text(author.email, 320), url: link(author.url) },
    license: text(record.license, 200),
    homepage: link(record.homepage),
    repository: link(record.repository),
    documentation: link(record.documentation),
    tags: texts(record.tags),
    category: text(record.category, 64),
    capabilities: texts(record.capabilities),
  };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown, longest: number): string {
  return typeof value === "string" ? value.slice(0, longest) : "";
}

function texts(value: unknown): string[] {
  const found = Array.isArray(value) ? value.map((item) => text(item, 200)).filter((item) => item !== "") : [];
  return [...new Set(found)].slice(0, mostItems);
}

function link(value: unknown): string {
  const url = text(value, 2000);
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? url : "";
}
