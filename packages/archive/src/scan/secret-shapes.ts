import { endsInChecksum } from "./checksum.ts";
import { isPlaceholder } from "./placeholder.ts";

/** One kind of secret by its shape. Every pattern is sticky and of bounded length: it is tried only at its prefix. */
export interface SecretShape {
  readonly kind: string;
  readonly severity: "critical" | "high" | "medium";
  /** How it begins. Texts are searched for this first. */
  readonly prefix: string;
  /** Matches from the prefix on. */
  readonly pattern: RegExp;
  /** Whether the match is one that was given out; by default, that what follows the prefix is no placeholder. */
  readonly holds?: (match: string, prefix: string) => boolean;
}

const ends = "(?![A-Za-z0-9_-])";
const shape = (
  kind: string,
  prefix: string,
  body: string,
  more: Partial<Pick<SecretShape, "severity" | "holds">> = {},
): SecretShape => ({
  kind,
  severity: "critical",
  prefix,
  pattern: new RegExp(RegExp.escape(prefix) + body + ends, "y"),
  ...more,
});

const real = (match: string, prefix: string): boolean => !isPlaceholder(match.slice(prefix.length));
/** The checksum is over the random part; a shape that carries one needs no other proof. */
const checkedBody = { holds: (match: string, prefix: string) => endsInChecksum(match.slice(prefix.length)) };
const checkedWhole = { holds: (match: string) => endsInChecksum(match) };

export const secretShapes: readonly SecretShape[] = [
  ...["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].map((prefix) =>
    shape("GitHub token", prefix, "[A-Za-z0-9]{36}", checkedBody),
  ),
  shape("GitHub refresh token", "ghr_", "[A-Za-z0-9]{76}"),
  shape("GitHub fine-grained token", "github_pat_", "[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
  shape("GitLab token", "glpat-", "[\\w-]{20}"),
  shape("GitLab token", "glpat-", "[\\w-]{27,300}\\.[0-9a-z]{2}\\.[0-9a-z]{7,9}"),
  shape("npm token", "npm_", "[A-Za-z0-9]{36}", checkedBody),
  shape("PyPI token", "pypi-AgEIcHlwaS5vcmc", "[\\w-]{50,300}"),
  shape("Slack token", "xox", "[abeprs]-(?:\\d-)?\\d{9,14}-[A-Za-z0-9-]{20,200}"),
  shape("Slack webhook", "hooks.slack.com", "/services/T[A-Z0-9]{7,12}/B[A-Z0-9]{7,12}/[A-Za-z0-9]{24}", {
    holds: (match) => !isPlaceholder(match.slice(-24)),
  }),
  shape("Stripe key", "sk_live_", "[A-Za-z0-9]{24,200}"),
  shape("Stripe key", "rk_live_", "[A-Za-z0-9]{24,200}"),
  shape("OpenAI key", "sk-", "(?:(?:proj|svcacct|admin)-)?[\\w-]{20,100}T3BlbkFJ[\\w-]{20,100}"),
  shape("Anthropic key", "sk-ant-", "[a-z]{2,10}\\d\\d-[\\w-]{80,120}"),
  shape("Google API key", "AIza", "[\\w-]{35}", { severity: "high" }),
  shape("Hugging Face token", "hf_", "[A-Za-z]{34}"),
  shape("SendGrid key", "SG.", "[\\w-]{22}\\.[\\w-]{43}"),
  ...["acr_", "acs_", "acp_"].map((prefix) =>
    shape("token of this registry", prefix, "[\\w-]{43}[0-9A-Za-z]{6}", checkedWhole),
  ),
  shape("JSON web token", "eyJ", "[\\w-]{10,2000}\\.eyJ[\\w-]{10,8000}\\.[\\w-]{20,2000}", {
    severity: "medium",
    holds: isWebToken,
  }),
];

/** The subject of the sample that everybody copies. */
const sampleSubject = "1234567890";

function isWebToken(match: string): boolean {
  const [header, payload] = match.split(".").map((part) => decodeJson(part));
  return (
    typeof header === "object" &&
    header !== null &&
    "alg" in header &&
    header.alg !== "none" &&
    typeof payload === "object" &&
    payload !== null &&
    !("sub" in payload && payload.sub === sampleSubject)
  );
}

function decodeJson(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

export const isReal = (found: SecretShape, match: string): boolean => (found.holds ?? real)(match, found.prefix);
