import type { Release } from "@registry/contracts/catalog";
import {
  isVersion,
  type PluginName,
  pluginNotFound,
  type Visibility,
  versionNotFound,
  versionSpecPattern,
} from "@registry/domain";
import { z } from "zod";
import type { TrustedCache } from "../cache.ts";
import { orEmpty } from "../forms.ts";
import { routeNotFound } from "../http-errors.ts";
import { pluginName, textParameter } from "../input.ts";
import { type Container, containers, fileName } from "../links.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, defineRoute, json, type Route } from "../route.ts";
import { isListed, reachOf } from "../words.ts";

const forEver = "public, max-age=31536000, immutable";
const forNobodyElse = "private, no-store";

export interface Resolved {
  readonly release: Release;
  /** Of this release: hidden ones are private, however public the plugin. */
  readonly visibility: Visibility;
}

/** Where packages are fetched from. */
export function downloadRoutes(parts: Parts, resolutions: TrustedCache<Resolved>): Route[] {
  const resolve = resolverOf(parts, resolutions);
  const bytes = (type: readonly string[]) => ({
    200: { description: "The package", headers: ["Content-Disposition", "X-Source-Digest"], type } as const,
    206: { description: "A part of it", headers: ["Content-Range"], type } as const,
  });
  return [
    defineRoute({
      method: "GET",
      url: "/api/v1/plugins/:name/download",
      tag: "downloads",
      summary: "An address of the package that works without a header",
      access: "readers",
      query: z.object({
        version: textParameter(128, orEmpty(versionSpecPattern)).describe(
          "Exact version, npm range or channel; default `latest`",
        ),
      }),
      answers: {
        200: {
          description: "What is not public has a signed address that lives at most 60 s",
          schema: z.object({ download_url: z.string() }),
        },
      },
      async handle(call) {
        const name = pluginName(call.params.name);
        const { release, visibility } = await resolve(call, name, call.query.version ?? "");
        const { version, sha256, container } = release;
        const target = { name, version, sha256, container, visibility, counted: isListed(release.state) };
        const answer = { download_url: parts.links.download(call.origin, target, call.caller) };
        return visibility === "public"
          ? json(answer, { keep: { tags: [name] } })
          : json(answer, { headers: { "cache-control": forNobodyElse } });
      },
    }),
    defineRoute({
      method: "GET",
      url: "/api/v1/plugins/:name/download/:version",
      tag: "downloads",
      summary: "The package as tar.gz with everything under one folder named after the plugin",
      access: "readers",
      answers: bytes(["application/gzip"]),
      async handle(call) {
        const name = pluginName(call.params.name);
        const { release, visibility } = await resolve(call, name, call.params.version ?? "");
        return parts.downloads.send(call, {
          name,
          version: release.version,
          sha256: release.sha256,
          size: release.size,
          source: release.container,
          container: "tar.gz",
          folded: true,
          shared: visibility === "public",
          cacheControl: visibility === "public" ? "no-cache" : forNobodyElse,
          counted: isListed(release.state),
          route: "agenticraft",
          userId: userIdOf(call),
        });
      },
    }),
    defineRoute({
      method: "GET",
      url: "/plugins/:name/:version/:file",
      tag: "downloads",
      summary:
        "The immutable bytes: `{name}-{version}.zip` or `.tar.gz`, one as uploaded and the other derived from it",
      access: "readers",
      signed: true,
      query: z.object({
        sha256: textParameter(64),
        source: textParameter(8),
        user: textParameter(16),
        ticket: textParameter(128).describe("Of a signed address; not to be made by hand"),
        counted: textParameter(8),
      }),
      answers: bytes(["application/zip", "application/gzip"]),
      handle: (call) => immutable(parts, resolve, call),
    }),
  ];
}

type Resolve = (call: Call, name: PluginName, version: string) => Promise<Resolved>;

/** Which release is meant: remembered for anonymous callers, as long as every change is heard of. */
function resolverOf(parts: Parts, resolutions: TrustedCache<Resolved>): Resolve {
  return async ({ caller, context }, name, version) => {
    const key = `${name} ${version}`;
    const known = caller.type === "anonymous" ? resolutions.get(key) : undefined;
    if (known !== undefined) return known;
    const lease = resolutions.lease();
    const answer = await parts.catalog.resolveDownload({ name, version }, { context });
    if (answer.release === undefined) throw new TypeError("the catalog answered without a release");
    // What the manifest says is of no use here and may be large.
    const release = { ...answer.release, manifestJson: "" };
    const resolved = { release, visibility: reachOf(release, answer.visibility) };
    if (caller.type === "anonymous") resolutions.store(lease, key, resolved, 1024 + key.length, [name]);
    return resolved;
  };
}

function userIdOf({ caller }: Call): number {
  return caller.type === "user" ? caller.id : 0;
}

function containerOf(name: PluginName, version: string, file: string): Container {
  const container = containers.find((each) => file === fileName(name, version, each));
  if (container === undefined) throw routeNotFound();
  return container;
}

async function immutable(
  parts: Parts,
  resolve: Resolve,
  call: Call<Readonly<Record<string, string | undefined>>>,
): Promise<Answer> {
  const name = pluginName(call.params.name);
  const { version = "", file = "" } = call.params;
  if (!isVersion(version)) throw versionNotFound();
  const container = containerOf(name, version, file);
  const signed = parts.links.verify(name, version, call.query);
  // A signature that does not hold says nothing about whether there was anything to sign.
  if (signed === undefined && call.query.ticket !== undefined && call.caller.type === "anonymous")
    throw pluginNotFound();
  if (signed !== undefined) {
    const { sha256, source, userId, counted } = signed;
    return parts.downloads.send(call, {
      ...{ name, version, sha256, source, container, userId, counted },
      shared: false,
      cacheControl: forNobodyElse,
      route: "rest",
    });
  }
  const { release, visibility } = await resolve(call, name, version);
  return parts.downloads.send(call, {
    ...{ name, version, container, sha256: release.sha256, size: release.size, source: release.container },
    shared: visibility === "public",
    cacheControl: visibility === "public" ? forEver : forNobodyElse,
    counted: isListed(release.state),
    route: "rest",
    userId: userIdOf(call),
  });
}
