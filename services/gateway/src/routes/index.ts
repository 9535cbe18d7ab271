import type { TrustedCache } from "../cache.ts";
import type { Parts } from "../parts.ts";
import type { Route } from "../route.ts";
import { analyticsRoutes } from "./analytics.ts";
import { auditRoutes } from "./audit.ts";
import { authRoutes } from "./auth.ts";
import { channelRoutes } from "./channels.ts";
import { deprecationRoutes } from "./deprecate.ts";
import { downloadRoutes, type Resolved } from "./downloads.ts";
import { docsRoutes, metaRoutes } from "./meta.ts";
import { pluginRoutes } from "./plugins.ts";
import { publishRoutes } from "./publish.ts";
import { releaseRoutes } from "./releases.ts";
import { reviewRoutes } from "./review.ts";
import { searchRoutes } from "./search.ts";
import { tokenRoutes, userRoutes } from "./users.ts";
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
    ...authRoutes(parts),
    ...userRoutes(parts),
    ...tokenRoutes(parts),
    ...analyticsRoutes(parts),
    ...auditRoutes(parts),
  ];
  return [...routes, ...docsRoutes(routes, parts.config.REGISTRY_NAME, parts.version)];
}
