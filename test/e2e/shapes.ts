import { expect } from "vitest";
import type { Answer } from "./http.ts";

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What tests read of an info. */
export interface Info {
  readonly name: string;
  readonly description: string;
  readonly visibility: string;
  readonly latest_version: string;
  readonly version: string;
  readonly versions: string[];
  readonly total_downloads: number;
  readonly manifest: Record<string, unknown>;
  readonly download_url: string;
  readonly channels: Record<string, string>;
  readonly releases: { version: string; sha256: string; state: string; downloads: number; package_url: string }[];
}

/**
 * Every field that the setup guide and AgentiCraft's client read, with its type; a wrong null in one of them fails the
 * client's whole call.
 */
export const infoShape = {
  name: expect.any(String),
  description: expect.any(String),
  author: expect.any(String),
  license: expect.any(String),
  tags: expect.any(Array),
  created_at: expect.stringMatching(isoTime),
  updated_at: expect.stringMatching(isoTime),
  versions: expect.any(Array),
  latest_version: expect.any(String),
  total_downloads: expect.any(Number),
  dependencies_graph: expect.any(Object),
  manifest: expect.objectContaining({
    name: expect.any(String),
    version: expect.any(String),
    type: expect.any(String),
    title: expect.any(String),
    description: expect.any(String),
    author: expect.objectContaining({ name: expect.any(String) }),
    requirements: {
      python: expect.any(String),
      agenticraft: expect.any(String),
      dependencies: expect.any(Array),
      system: expect.any(Object),
    },
    config: expect.any(Array),
    tags: expect.any(Array),
    capabilities: expect.any(Array),
    endpoints: expect.any(Array),
    examples: expect.any(Array),
    downloads: expect.any(Number),
    verified: expect.any(Boolean),
  }),
  releases: expect.any(Array),
};

export const releaseShape = {
  version: expect.any(String),
  manifest: expect.objectContaining({ name: expect.any(String) }),
  package_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/plugins\//),
  downloads: expect.any(Number),
  published_at: expect.stringMatching(isoTime),
  published_by: expect.any(String),
  sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  size: expect.any(Number),
  state: "published",
};

/** The nine keys of a search result. */
export const searchKeys = [
  "author",
  "description",
  "downloads",
  "name",
  "rating",
  "title",
  "type",
  "verified",
  "version",
];

/** Asserts a problem document with this status and code, whatever else it says. */
export function expectProblem(answer: Answer, status: number, code: string, detail?: string): void {
  const shown = { status: answer.status, body: answer.text.slice(0, 500) };
  expect(shown).toMatchObject({ status, body: expect.stringContaining(`"${code}"`) });
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.json()).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status,
    detail: detail ?? expect.stringMatching(/./),
    code,
    request_id: answer.headers.get("x-request-id"),
  });
}

/** The problem without what differs from one request to the next. */
export function problemOf(answer: Answer): object {
  const { request_id: _, ...rest } = answer.json<Record<string, unknown>>();
  return { status: answer.status, type: answer.headers.get("content-type"), ...rest };
}

/** The names in a list of plugins, in any of the shapes that lists come in. */
export function namesIn(answer: Answer): string[] {
  const body = answer.json<Named[] | { plugins: Named[] } | { results: Named[] }>();
  const items = Array.isArray(body) ? body : "plugins" in body ? body.plugins : body.results;
  return items.map(({ name }) => name);
}

interface Named {
  readonly name: string;
}
