/**
 * What texts that turn an agent against its user are made of. Every pattern has bounds on each of its repetitions, and
 * none begins with one, so that a search takes time in proportion to the text whatever it holds. What has to stand near
 * what is compared by position afterwards, not by a pattern that spans both.
 */
const gap = "[\\s*_~]{1,8}";
const words = (...alternatives: readonly string[]): string => `(?:${alternatives.join("|")})`;
const any = (pattern: string): RegExp => new RegExp(pattern, "gi");

const not = words(
  "do(?: not|n['’]t)",
  "never",
  "must(?: not|n['’]t)",
  "should(?: not|n['’]t)",
  "may not",
  "will not",
  "no need to",
  "avoid",
  "refrain from",
);
const user = words("users?", "humans?", "operators?", "customers?", "owners?", "people", "anyone");
const theUser = `(?:(?:the|your|any|this)${gap})?${user}`;
const it = words(
  "this",
  "it",
  "that",
  "these",
  "any of (?:this|it|these)",
  "anything about",
  "your actions",
  "what you",
);

const filler = words(...["all", "any", "every", "each", "the", "your", "of", "these", "those", "my", "and", "other"]);
const former = words(
  ...["previous", "prior", "earlier", "above", "preceding", "foregoing", "system", "original", "developer", "safety"],
);
const rules = words(
  ...["instructions?", "prompts?", "rules", "guidelines", "directives?", "directions", "messages", "guardrails"],
  "polic(?:y|ies)",
);

export const patterns = {
  /** Takes the instructions away that the agent already has. */
  override: any(
    `\\b${words("ignore", "disregard", "forget")}${gap}(?:${filler}${gap}){0,6}${words(
      `${former}(?:${gap}${words("and", "or", "system", "safety", "user", "developer", "security", "given")}){0,3}${gap}${rules}`,
      `${words("your", "(?:the )?user['’]s")}${gap}(?:own${gap})?${words("instructions", "system prompt", "guidelines")}`,
      `everything${gap}${words("above", "before", "you were told", "you have been told")}`,
    )}\\b`,
  ),
  /** Keeps something from the user. */
  conceal: any(
    words(
      `\\b${not}${gap}(?:ever${gap})?${words("tell(?:ing)?", "inform(?:ing)?", "notify(?:ing)?", "alert(?:ing)?", "warn(?:ing)?")}${gap}${theUser}\\b(?!${gap}(?:to|if|when|unless|until|for)\\b)`,
      `\\b${not}${gap}let${gap}${theUser}${gap}${words("know", "see", "notice", "find out", "realize", "realise")}\\b`,
      `\\b${not}${gap}${words("mention(?:ing)?", "reveal(?:ing)?", "disclose", "disclosing", "report(?:ing)?", "say", "show(?:ing)?", "display(?:ing)?", "explain(?:ing)?")}${gap}${it}(?:${gap}\\w{1,20}){0,3}${gap}(?:to|with)${gap}${theUser}\\b`,
      `\\b${not}${gap}mention(?:ing)?${gap}${words("that you", "this", "these")}\\b`,
      `\\b${theUser}${gap}${words(`${words("does(?: not|n['’]t)", "do(?: not|n['’]t)")}${gap}${words("need", "have")}${gap}to`, "must(?: not|n['’]t)", "should(?: not|n['’]t)", "need(?: not|n['’]t)")}${gap}${words("know", "notice", "find out")}\\b`,
      `\\b${words("hide", "conceal")}${gap}${it}(?:${gap}\\w{1,20}){0,3}${gap}from${gap}${theUser}\\b`,
      `\\bkeep${gap}${it}(?:${gap}\\w{1,20}){0,3}${gap}${words(`from${gap}${theUser}`, "between us")}\\b`,
    ),
  ),
  /** Keeps something from the user, unless the sentence forbids to do so. */
  unseen: any(
    words(
      `\\bwithout${gap}${words("telling", "informing", "notifying", "alerting", "warning")}${gap}${theUser}\\b`,
      `\\bwithout${gap}(?:the|your)${gap}${user}['’]?s?${gap}${words("knowledge", "knowing", "noticing", "awareness", "being aware")}\\b`,
      "\\b(?:secretly|covertly|surreptitiously|stealthily)\\b",
      `\\b(?:silently|quietly)${gap}${words("send", "upload", "forward", "transmit", "exfiltrate", "post", "e-?mail")}\\b`,
    ),
  ),
  send: any(
    "\\b(?:send|upload|post|transmit|exfiltrate|forward|leak|e-?mail|submit|append|pass|b?cc|curl|wget|base64)\\b",
  ),
  read: any("\\b(?:read|open|cat|copy|collect|gather|extract|include|attach|harvest|dump|load|steal)\\b"),
  sensitive: any(
    "~/\\.\\w|\\.ssh\\b|\\bid_(?:rsa|ed25519|ecdsa)\\b|(?<![\\w.])\\.(?:env|netrc|npmrc|pypirc)\\b|\\b(?:credentials?|api[ _-]?keys?|(?:access|auth|session|bearer|refresh)[ _-]?tokens?|tokens|passwords?|secrets?|private[ _-]?keys?|seed phrase|keychain|wallet|cookies|mcp\\.json|conversation|chat history|environment variables)\\b",
  ),
  /** Files that nothing but the user's own programs has to read. */
  keys: any(
    "~/\\.ssh\\b|\\bid_(?:rsa|ed25519|ecdsa)\\b|~/\\.aws\\b|~/\\.gnupg\\b|~/\\.kube\\b|~/\\.netrc\\b|\\bwallet\\.dat\\b",
  ),
  elsewhere: any(
    "\\bhttps?://|\\bto (?:an?|the|our|my) (?:external|remote|following|attacker['’]?s?)\\b|\\bwebhook\\b|\\b[\\w.-]{1,64}@[\\w-]{1,63}\\.\\w{2,10}\\b",
  ),
  tool: any(
    `\\bis${gap}${words("called", "invoked")}\\b|\\b(?:call|invoke|use|run|using)${gap}(?:the${gap}|this${gap})?(?:[\\w.\`-]{1,60}${gap})?tool\\b`,
  ),
  /** Turns of a conversation as models have them in their own input. */
  marker: any(
    "<\\|im_start\\|>\\s{0,4}(?:system|assistant|developer)|<\\|(?:system|developer)\\|>|<\\|start_header_id\\|>\\s{0,4}system|\\[INST\\]|<<SYS>>",
  ),
  tag: any("<(?:important|system|system-reminder|secret|hidden|admin|instructions?)>"),
  pipe: any("\\b(?:curl|wget)\\b[^\\n|]{1,300}\\|[ \\t]{0,4}(?:sudo[ \\t]{1,4})?(?:ba|z|da|k)?sh\\b"),
  blob: any("(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{400}"),
  decode: any("\\b(?:decode|b64decode|base64 (?:-d|-D|--decode)|atob|decoded)\\b|\\bfrom base64\\b"),
  execute: any(
    "\\b(?:execute|exec|eval|run|follow|obey|carry out|\\|\\s{0,4}(?:ba|z)?sh)\\b|\\|\\s{0,4}(?:ba|z|da)?sh\\b",
  ),
} satisfies Readonly<Record<string, RegExp>>;

/** Turns what follows in the same sentence into something that must not be done. */
export const negated = new RegExp(`\\b${not}\\b|\\bnot\\b|\\brefuse\\b|\\binstead of\\b|\\bcannot\\b`, "i");

/** Says that what follows is spoken of: someone's attempt, a rule of a scanner, an example. */
export const spokenOf =
  /\b(?:detect\w{0,4}|flag\w{0,4}|scan\w{0,4}|look\w{0,3} for|watch\w{0,3} for|check\w{0,3} for|attempt\w{0,3}|attack\w{0,4}|inject\w{0,4}|jailbreak\w{0,4}|malicious|refus\w{1,4}|reject\w{0,3}|such as|e\.g\.|examples?|phrases?|patterns?|adversar\w{1,5}|untrusted|suspicious|red flags?|tr(?:y|ies|ying) to|asks?|asking|tells?|telling|that|which|who|like|may|might|could|would|if)\b/i;
