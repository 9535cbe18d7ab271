import { orgRoles, visibilities } from "@registry/domain";
import { z } from "zod";

/** What answers look like: for the documentation, and for the tests that hold answers against it. */
const text = z.string();
const nullable = z.string().nullable();
const time = z.string().meta({ format: "date-time" });
const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const anyObject = z.record(z.string(), z.unknown());

export const problemSchema = z
  .object({
    type: text,
    title: text,
    status: z.int(),
    detail: text,
    code: text,
    request_id: text,
    errors: z.array(z.object({ pointer: text, reason: text })).optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem document" });

const deprecationSchema = z
  .object({ message: text, successor: nullable })
  .meta({ id: "Deprecation", description: "Why this should no longer be used, and what to use instead" });

export const checkSchema = z
  .object({
    name: text,
    result: z.enum(["passed", "failed", "error", "pending"]),
    summary: nullable,
    finished_at: time.nullable(),
  })
  .meta({ id: "Check" });

export const reviewSchema = z
  .object({
    state: z.enum(["pending", "released", "rejected", "unknown"]),
    reasons: z.array(text),
    requested_at: time.nullable(),
    reviewed_by: nullable,
    reason: nullable,
    reviewed_at: time.nullable(),
  })
  .meta({
    id: "Review",
    description:
      "Why a release waits or waited for a person, and what that person said; reasons and reviewer are shown to the owner, reviewers and administrators",
  });

export const findingSchema = z
  .object({
    rule: text,
    severity: text,
    message: text,
    file: nullable,
    line: z.int().nullable(),
    pointer: nullable,
    action: nullable,
  })
  .meta({ id: "Finding" });

const verdictFields = {
  findings: z.array(findingSchema),
  checks: z.array(checkSchema),
  review: reviewSchema.nullable(),
};

export const releaseSchema = z
  .object({
    version: text,
    manifest: anyObject,
    package_url: nullable,
    downloads: count,
    published_at: time.nullable(),
    published_by: text,
    sha256,
    size: count,
    state: z.enum(["staged", "abandoned", "published", "yanked", "quarantined", "deleted", "unknown"]),
    format: text,
    container: text,
    reason: nullable,
    yanked: z.boolean(),
    deprecation: deprecationSchema.nullable(),
    checks: z.array(checkSchema),
    review: reviewSchema.nullable(),
  })
  .meta({ id: "Release" });

/** A release outside of its plugin's page. */
export const namedReleaseSchema = releaseSchema.extend({ plugin: text }).meta({ id: "NamedRelease" });

/** One that waits for a reviewer. */
export const waitingSchema = namedReleaseSchema
  .extend({ findings: z.array(findingSchema) })
  .meta({ id: "WaitingRelease" });

const pluginFields = {
  name: text,
  title: text,
  description: text,
  kind: text,
  type: text,
  author: text,
  license: nullable,
  homepage: nullable,
  repository: nullable,
  documentation: nullable,
  tags: z.array(text),
  capabilities: z.array(text),
  category: nullable,
  owner: text,
  owner_type: z.enum(["user", "organisation"]),
  team: nullable,
  visibility: z.enum(visibilities),
  verified: z.boolean(),
  created_at: time.nullable(),
  updated_at: time.nullable(),
  downloads: count,
  total_downloads: count,
  rating: z.number().nullable(),
  latest_version: text,
  channels: z.record(z.string(), text),
  deprecation: deprecationSchema.nullable(),
};

export const pluginSchema = z.object(pluginFields).meta({ id: "Plugin" });

export const infoSchema = z
  .object({
    ...pluginFields,
    version: text,
    sha256: sha256.nullable(),
    size: count.nullable(),
    versions: z.array(text),
    manifest: anyObject,
    dependencies_graph: z.record(z.string(), z.array(text)),
    readme: nullable,
    changelog: nullable,
    download_url: nullable,
    releases: z.array(releaseSchema),
  })
  .meta({ id: "PluginInfo" });

export const searchSchema = z
  .object({
    results: z.array(
      z.strictObject({
        name: text,
        version: text,
        type: z.enum(["tool", "agent", "memory", "provider", "workflow", "reasoning"]),
        title: text,
        description: text,
        author: text,
        downloads: count,
        rating: z.number().nullable(),
        verified: z.boolean(),
      }),
    ),
  })
  .meta({ id: "SearchResults" });

export const publishedSchema = z
  .object({
    success: z.literal(true),
    plugin: text,
    version: text,
    sha256,
    size: count,
    state: text,
    url: text,
    package_url: text,
    download_url: text,
    ...verdictFields,
  })
  .meta({ id: "Published" });

export const triedSchema = z
  .object({
    success: z.literal(true),
    dry_run: z.literal(true),
    plugin: text,
    version: text,
    sha256,
    size: count,
    state: text,
    verdict: z.enum(["accepted", "held"]),
    exists: z.boolean(),
    url: text,
    package_url: text,
    ...verdictFields,
  })
  .meta({ id: "Tried", description: "What would have come of a publish" });

export const userSchema = z
  .object({
    id: z.int(),
    username: text,
    email: text,
    role: z.enum(["admin", "publisher", "user"]),
    grants: z.array(text),
    permissions: z.array(text).describe("The same as grants"),
    disabled: z.boolean(),
    created_at: time.nullable(),
    service_account: z.boolean(),
    organisation: nullable.describe("Of a service account"),
    totp_enabled: z.boolean(),
    memberships: z.array(z.object({ organisation: text, role: z.enum(orgRoles), teams: z.array(text) })),
  })
  .meta({ id: "User" });

export const sessionSchema = z
  .object({ token: text, token_type: z.literal("bearer"), expires_at: time.nullable(), user: userSchema })
  .meta({ id: "Session" });

export const tokenSchema = z
  .object({
    id: text,
    name: text,
    scopes: z.array(text),
    created_at: time.nullable(),
    expires_at: time.nullable(),
    last_used_at: time.nullable(),
    hint: text,
    addresses: z.array(text),
    read_only: z.boolean(),
    username: text,
  })
  .meta({ id: "ApiToken" });

export const signInOptionsSchema = z
  .object({
    oidc: z.boolean(),
    name: nullable,
    trusted_issuers: z.array(text),
    trusted_audience: text,
    registration_open: z.boolean(),
  })
  .meta({ id: "SignInOptions" });

export const trustedPublisherSchema = z
  .object({
    id: text,
    plugin: text,
    issuer: text,
    claims: z.record(z.string(), text),
    publishes_as: text,
    created_by: text,
    created_at: time.nullable(),
    last_used_at: time.nullable(),
  })
  .meta({ id: "TrustedPublisher", description: "A workflow that may publish one plugin without a stored secret" });

export const channelSchema = z.object({ channel: text, version: text }).meta({ id: "Channel" });

export const fileSchema = z.object({ path: text, size: count, sha256 }).meta({ id: "PackageFile" });
