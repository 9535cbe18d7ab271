import { type Release, ReleaseView } from "@registry/contracts/catalog";
import { notFound, type PluginName, RegistryError, versionPattern } from "@registry/domain";
import { z } from "zod";
import { orEmpty } from "../forms.ts";
import { releaseText } from "../info.ts";
import { integerParameter, pluginName, textParameter } from "../input.ts";
import { nextPage } from "../pages.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, content, defineRoute, json, jsonText, type Keep, type Route } from "../route.ts";
import { checkSchema, fileSchema, findingSchema, releaseSchema, reviewSchema } from "../schemas.ts";
import { closedPolicy } from "../security.ts";
import { checksWithLogs, findingsOf, reviewFields } from "../verdicts.ts";
import { isListed, orNull } from "../words.ts";

const markdown = "text/markdown; charset=utf-8";
const fullSchema = releaseSchema.extend({
  plugin: z.string(),
  readme: z.string().nullable(),
  changelog: z.string().nullable(),
  files: z.array(fileSchema),
  findings: z.array(findingSchema),
  download_url: z.string().nullable(),
});
const checksSchema = z.object({
  checks: z.array(checkSchema.extend({ log: z.string().nullable() })),
  review: reviewSchema.nullable(),
});

/** What a release is and holds. */
export function releaseRoutes(parts: Parts): Route[] {
  const base = "/api/v1/plugins/:name/versions";
  const one = { method: "GET", tag: "releases", access: "readers" } as const;
  return [
    defineRoute({
      ...one,
      url: base,
      summary: "Releases, highest version first",
      query: z.object({ limit: integerParameter(1, 500, 50), cursor: textParameter(64, orEmpty(versionPattern)) }),
      answers: {
        200: {
          description: "`next_cursor` is null on the last page; `Link` has its address",
          headers: ["Link"],
          schema: z.object({ versions: z.array(releaseSchema), next_cursor: z.string().nullable() }),
        },
      },
      handle: (call) => list(parts, call),
    }),
    defineRoute({
      ...one,
      url: `${base}/:version`,
      summary: "One release with all that it holds; version, range or channel",
      answers: { 200: { description: "The release", schema: fullSchema } },
      handle: (call) => show(parts, call),
    }),
    defineRoute({
      ...one,
      url: `${base}/:version/readme`,
      summary: "Its README",
      answers: { 200: { description: "Markdown, as its author wrote it", type: markdown } },
      handle: (call) => text(parts, call, "readme"),
    }),
    defineRoute({
      ...one,
      url: `${base}/:version/changelog`,
      summary: "Its changelog",
      answers: { 200: { description: "Markdown, as its author wrote it", type: markdown } },
      handle: (call) => text(parts, call, "changelog"),
    }),
    defineRoute({
      ...one,
      url: `${base}/:version/files`,
      summary: "The files in the package",
      answers: { 200: { description: "All of them", schema: z.object({ files: z.array(fileSchema) }) } },
      async handle(call) {
        const { name, release } = await full(parts, call);
        return json({ files: release.files }, keptUnder(name, release));
      },
    }),
    defineRoute({
      ...one,
      url: `${base}/:version/files/*`,
      summary: "One file of the package",
      answers: { 200: { description: "Its bytes; text as text, everything else as a download", type: "*/*" } },
      handle: (call) => file(parts, call),
    }),
    defineRoute({
      ...one,
      url: `${base}/:version/findings`,
      summary: "What the checks noticed",
      answers: { 200: { description: "All of it", schema: z.object({ findings: z.array(findingSchema) }) } },
      async handle(call) {
        const { name, release } = await full(parts, call);
        return json({ findings: findingsOf(release) }, keptUnder(name, release));
      },
    }),
    defineRoute({
      ...one,
      url: `${base}/:version/checks`,
      summary: "The checks that it went through with their logs, and what a reviewer said",
      answers: { 200: { description: "All of them; `review` is null where nobody was asked", schema: checksSchema } },
      async handle(call) {
        const { name, release } = await full(parts, call);
        const answer = { checks: checksWithLogs(release), review: reviewFields(release.review) };
        return json(answer, keptUnder(name, release));
      },
    }),
  ];
}

async function list(parts: Parts, call: Call<{ limit: number; cursor?: string | undefined }>): Promise<Answer> {
  const name = pluginName(call.params.name);
  const { limit, cursor } = call.query;
  const page = { pageSize: limit, pageToken: cursor ?? "" };
  const { releases, nextPageToken } = await parts.catalog.listReleases({ name, page }, { context: call.context });
  const headers = nextPage(call.origin, `/api/v1/plugins/${name}/versions`, { limit: String(limit) }, nextPageToken);
  const texts = releases.map((release) => releaseText(release, { ...call, links: parts.links }));
  return jsonText(`{"versions":[${texts.join(",")}],"next_cursor":${JSON.stringify(orNull(nextPageToken))}}`, {
    headers,
    keep: { tags: [name] },
  });
}

async function full(parts: Parts, call: Call): Promise<{ name: PluginName; release: Release }> {
  const name = pluginName(call.params.name);
  const request = { name, version: call.params.version ?? "", view: ReleaseView.RELEASE_VIEW_FULL };
  const { release } = await parts.catalog.getRelease(request, { context: call.context });
  if (release === undefined) throw new TypeError("the catalog answered without a release");
  return { name, release };
}

/** What only some may see is kept ready for nobody, whoever asked for it. */
function keptUnder(name: PluginName, { state }: Release): { keep?: Keep } {
  return isListed(state) ? { keep: { tags: [name] } } : {};
}

async function show(parts: Parts, call: Call): Promise<Answer> {
  const { name, release } = await full(parts, call);
  const more = {
    plugin: name,
    readme: release.readme ?? null,
    changelog: release.changelog ?? null,
    files: release.files,
    findings: findingsOf(release),
    download_url: `${call.origin}/api/v1/plugins/${name}/download?version=${release.version}`,
  };
  return jsonText(releaseText(release, { ...call, links: parts.links }, more), keptUnder(name, release));
}

async function text(parts: Parts, call: Call, which: "readme" | "changelog"): Promise<Answer> {
  const { name, release } = await full(parts, call);
  const found = release[which];
  if (found === undefined) {
    throw notFound(`${which.toUpperCase()}_NOT_FOUND`, `The release has no ${which}`);
  }
  return content(found, markdown, {
    headers: { "content-security-policy": closedPolicy },
    ...keptUnder(name, release),
  });
}

const largestShown = 8 * 1024 * 1024;
const textual =
  /(?:^|\/)(?:[A-Z]+|[^/]*\.(?:md|txt|rst|ya?ml|json|toml|ini|cfg|py|js|mjs|ts|tsx|jsx|html?|css|svg|xml|csv|sh|sql|go|rs|java|rb))$/;

async function file(parts: Parts, call: Call): Promise<Answer> {
  const { name, release } = await full(parts, call);
  const path = call.params.path ?? "";
  const entry = release.files.find((each) => each.path === path);
  if (entry === undefined) throw notFound("FILE_NOT_FOUND", "The package has no such file");
  if (entry.size > largestShown) {
    throw new RegistryError("too_large", "FILE_TOO_LARGE", "The file is larger than 8 MiB; download the package");
  }
  const { context } = call;
  // A file is a part of the package, so whoever reads one needs the right to download.
  const { ticket } = await parts.catalog.resolveDownload({ name, version: release.version }, { context });
  const chunks: Uint8Array[] = [];
  const stream = parts.storage.readPackageFile({ sha256: release.sha256, path, ticket }, { context });
  for await (const { chunk } of stream) chunks.push(chunk);
  // Always as plain text or as a download: a browser must not run what somebody uploaded.
  const isText = textual.test(path);
  return content(Buffer.concat(chunks), isText ? "text/plain; charset=utf-8" : "application/octet-stream", {
    headers: {
      "content-security-policy": closedPolicy,
      "content-disposition": isText ? "inline" : "attachment",
      "x-checksum-sha256": entry.sha256,
      etag: `"${entry.sha256}"`,
    },
  });
}
