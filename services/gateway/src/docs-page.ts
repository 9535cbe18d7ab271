import { createHash } from "node:crypto";
import { type Route, templateOf } from "./route.ts";

const style = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:0 auto;padding:1.5rem}
code{font:0.9em ui-monospace,monospace}
h2{margin-top:2rem;text-transform:capitalize}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #8884}
td:first-child{white-space:nowrap;font-weight:600}
`;

/** Allows the page's own style and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.codePointAt(0)};`);
}

function row({ method, url, summary, answers, access }: Route): string {
  const statuses = Object.entries(answers).map(([status, { description }]) => `${status}: ${escaped(description)}`);
  const who = access === "users" ? " <em>(credential)</em>" : "";
  return `<tr><td>${method}</td><td><code>${escaped(templateOf(url))}</code></td><td>${escaped(summary)}${who}</td><td>${statuses.join("<br>")}</td></tr>`;
}

/** A page to read the routes on: no script, nothing from elsewhere. */
export function docsPage(routes: readonly Route[], title: string): string {
  const documented = routes.filter((route) => route.documented !== false);
  const sections = [...new Set(documented.map(({ tag }) => tag))].map((tag) => {
    const rows = documented.filter((route) => route.tag === tag).map(row);
    return `<section><h2>${escaped(tag)}</h2><table><thead><tr><th>Method</th><th>Path</th><th>What</th><th>Answers</th></tr></thead><tbody>${rows.join("")}</tbody></table></section>`;
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${style}</style></head><body><h1>${escaped(title)}</h1>
<p>The API of this registry. Its full description for programs is the OpenAPI document at <a href="/openapi.json"><code>/openapi.json</code></a>.
Send a credential as <code>Authorization: Bearer …</code>. Failures are problem documents (RFC 9457) with a <code>detail</code> to read and a <code>code</code> to branch on.</p>
${sections.join("\n")}
<section id="security"><h2>Security</h2><p>Report a problem with a plugin, or with this registry, to whoever operates it: see <a href="/.well-known/security.txt"><code>/.well-known/security.txt</code></a>.</p></section></body></html>`;
}
