export { canonicalRow, exportLine, genesisHash, hashOf, parseExportLine } from "./chain.ts";
export { deliverToAuth } from "./deliver-to-auth.ts";
export { changeOf } from "./difference.ts";
export { bounded, type Told } from "./entry.ts";
export { type Head, headOf, parseHeadLine, signHead, verifyHead } from "./head.ts";
export { type Journal, type JournalDeps, openJournal } from "./journal.ts";
export { ChainVerifier, type CheckedHead, type Problem, type Verdict } from "./verifier.ts";
