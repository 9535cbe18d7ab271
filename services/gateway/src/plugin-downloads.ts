import type { PluginVersionDownloads } from "@registry/contracts/analytics";
import type { Parts } from "./parts.ts";

/** Scrapers come every few seconds; this keeps a flood of them from analytics. */
const maxAgeMs = 1000;

/** Download counters for scrapers: asked of analytics, which alone knows them, and not counted again by each replica. */
export class PluginDownloads {
  readonly #parts: Pick<Parts, "analytics" | "clock" | "log" | "config">;
  #known: { readonly text: string; readonly at: number } = { text: "", at: 0 };

  constructor(parts: Pick<Parts, "analytics" | "clock" | "log" | "config">) {
    this.#parts = parts;
  }

  /** Prometheus text; what was known last while analytics is away. */
  async text(): Promise<string> {
    const { analytics, clock, log } = this.#parts;
    const now = clock.now().getTime();
    if (now - this.#known.at < maxAgeMs) return this.#known.text;
    try {
      const { downloads } = await analytics.getMetrics({}, { as: "service", timeoutMs: 2000 });
      // Scrapers bring no credential, so where every read needs one they are told no name.
      const told = this.#parts.config.ANONYMOUS_READ === false ? nameless(downloads) : downloads;
      this.#known = { text: exposition(told), at: now };
    } catch (error) {
      log.warn({ err: error }, "download counters are those of a moment ago");
      this.#known = { text: this.#known.text, at: now };
    }
    return this.#known.text;
  }
}

function nameless(downloads: readonly PluginVersionDownloads[]): PluginVersionDownloads[] {
  const total = downloads.reduce((sum, each) => sum + each.downloads, 0);
  return total === 0 ? [] : [{ plugin: "_private", version: "", downloads: total }];
}

function label(text: string): string {
  return text.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`));
}

function exposition(downloads: readonly PluginVersionDownloads[]): string {
  const lines = downloads.map(
    (each) =>
      `registry_plugin_downloads_total{plugin="${label(each.plugin)}",version="${label(each.version)}"} ${each.downloads}`,
  );
  return [
    "\n# HELP registry_plugin_downloads_total Total plugin downloads",
    "# TYPE registry_plugin_downloads_total counter",
    ...lines,
    "",
  ].join("\n");
}
