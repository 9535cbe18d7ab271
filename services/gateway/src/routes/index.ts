import type { TrustedCache } from "../cache.ts";
import type { Parts } from "../parts.ts";
import type { Route } from "../route.ts";
import { analyticsRoutes } from "./analytics.ts";
import { auditRoutes } from "./audit.ts";
import { authRoutes } from "./auth.ts";
import { changeRoutes } from "./changes.ts";
import { channelRoutes } from "./channels.ts";
import { deprecationRoutes } from "./deprecate.ts";
import { downloadRoutes, type Resolved } from "./downloads.ts";
import { eventRoutes } from "./events.ts";
import { federationRoutes, trustedPublisherRoutes } from "./federation.ts";
import { jwksRoutes } from "./jwks.ts";
import { memberRoutes } from "./members.ts";
import { docsRoutes, metaRoutes } from "./meta.ts";
import { organisationRoutes } from "./organisations.ts";
import { ownerRoutes } from "./owners.ts";
import { pluginRoutes } from "./plugins.ts";
import { publishRoutes } from "./publish.ts";
import { releaseRoutes } from "./releases.ts";
import { reviewRoutes } from "./review.ts";
import { searchRoutes } from "./search.ts";
import { secretReportRoutes } from "./secret-report.ts";
import { serviceAccountRoutes } from "./service-accounts.ts";
import { teamRoutes } from "./teams.ts";
import { totpRoutes } from "./totp.ts";
import { tokenRoutes, userRoutes } from "./users.ts";
import { webhookDeliveryRoutes } from "./webhook-deliveries.ts";
import { webhookRoutes } from "./webhooks.ts";
import { yankRoutes } from "./yank.ts";

/** Every route of the registry. */
export function allRoutes(parts: Parts, resolutions: TrustedCache<Resolved>, uiPath: string): Route[] {
  const routes = [
    ...metaRoutes(parts, uiPath),
    ...pluginRoutes(parts),
    ...publishRoutes(parts),
    ...searchRoutes(parts),
    ...releaseRoutes(parts),
    ...downloadRoutes(parts, resolutions),
    ...yankRoutes(parts),
    ...deprecationRoutes(parts),
    ...reviewRoutes(parts),
    ...channelRoutes(parts),
    ...ownerRoutes(parts),
    ...authRoutes(parts),
    ...federationRoutes(parts),
    ...trustedPublisherRoutes(parts),
    ...totpRoutes(parts),
    ...jwksRoutes(parts),
    ...secretReportRoutes(parts),
    ...userRoutes(parts),
    ...tokenRoutes(parts),
    ...organisationRoutes(parts),
    ...memberRoutes(parts),
    ...teamRoutes(parts),
    ...serviceAccountRoutes(parts),
    ...analyticsRoutes(parts),
    ...auditRoutes(parts),
    ...eventRoutes(parts),
    ...changeRoutes(parts),
    ...webhookRoutes(parts),
    ...webhookDeliveryRoutes(parts),
  ];
  const { REGISTRY_NAME: title, ANONYMOUS_READ } = parts.config;
  const anonymousRead = ANONYMOUS_READ !== false;
  return [...routes, ...docsRoutes(routes, { title, version: parts.version, anonymousRead })];
}
