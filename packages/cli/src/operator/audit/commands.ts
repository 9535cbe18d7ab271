import { type Command, InvalidArgumentError } from "commander";
import type { ExportCommand } from "./export.ts";
import type { HeadCommand } from "./head.ts";
import type { VerifyCommand } from "./verify.ts";

/** Runs a command and sets the exit code. */
export type Finish = (run: () => Promise<number>, failure?: number) => Promise<void>;

const env = "settings file that the registry is served with";
const connects = `Connects over gRPC as the registry's own processes do: where AUTH_ADDR says, else GRPC_HOST and GRPC_PORT, with
SECRET_KEY or the key in DATA_DIR.`;

export function addAuditCommands(program: Command, finish: Finish): void {
  const audit = program.command("audit").description("The log of who changed what: verify it, export it, sign its end");
  addVerify(audit, finish);
  addExport(audit, finish);
  addHead(audit, finish);
}

function addVerify(audit: Command, finish: Finish): void {
  audit
    .command("verify")
    .description("Say whether any row of the audit log was changed, taken out or cut off")
    .option("--file <export.jsonl>", "an export, instead of the running registry")
    .option("--heads <file...>", "signed ends that were kept elsewhere (default: AUDIT_HEAD_FILE, where it is there)")
    .option("--key <file>", "public keys in PEM that such ends may be signed with, beside the registry's own")
    .option("--json", "one JSON object on standard output")
    .option("--env <file>", env, ".env")
    .addHelpText("after", `\n${verifyHelp}`)
    .action(async (command: VerifyCommand) =>
      finish(async () => {
        const { verify } = await import("./verify.ts");
        return await verify(command);
      }, 2),
    );
}

const verifyHelp = `Checks the hash of every row and that each follows the one before, from the first; the registry's own mark of the log's
end; and every signed end against the row that it is of. Who could change the store and knows how the hashes are made
cannot change what was signed and kept apart from it.

${connects}
With --file nothing is connected to; ends are then checked with --key, with the key that an auditor's file brings along,
or with the registry's secret where it can be read.

Exit codes: 0 the log is whole; 1 it was tampered with; 2 wrong usage or settings, or it cannot be read.

Examples:
  agenticraft-registry audit verify
  agenticraft-registry audit verify --heads auditors-heads.jsonl --json
  agenticraft-registry audit verify --file audit.jsonl --heads auditors-heads.jsonl`;

function addExport(audit: Command, finish: Finish): void {
  audit
    .command("export")
    .description("Write the rows of the audit log, oldest first, one JSON object a line")
    .option("--jsonl", "JSON lines, the only format")
    .option(
      "-o, --output <file>",
      "where to write, readable by its owner alone; never overwrites (default: standard output)",
    )
    .option("--from <sequence>", "first row", sequence, 1)
    .option("--env <file>", env, ".env")
    .addHelpText("after", `\n${exportHelp}`)
    .action(async (command: ExportCommand) =>
      finish(async () => {
        const { exportLog } = await import("./export.ts");
        return await exportLog(command);
      }),
    );
}

const exportHelp = `A row's hash is the SHA-256 of its line without the field "hash", as it stands: keys sorted, no white space.

${connects}

Exit codes: 0 written; 1 it could not be read or written; 2 wrong usage or settings.

Examples:
  agenticraft-registry audit export --jsonl --output audit.jsonl
  agenticraft-registry audit export --jsonl --from 5001 >> audit.jsonl
  agenticraft-registry audit export | jq -c 'select(.action == "release.delete")'`;

function addHead(audit: Command, finish: Finish): void {
  audit
    .command("head")
    .description("Print the end of the audit log, signed now, for an auditor to keep")
    .option("--json", "one JSON object on standard output, a line for --heads of `audit verify`")
    .option("--env <file>", env, ".env")
    .addHelpText("after", `\n${headHelp}`)
    .action(async (command: HeadCommand) =>
      finish(async () => {
        const { head } = await import("./head.ts");
        return await head(command);
      }),
    );
}

const headHelp = `The signature is Ed25519 over four lines: "agenticraft-registry audit head", the sequence, the hash, the time.

${connects}

Exit codes: 0 printed; 1 no registry there, or its log has no end that it stands by; 2 wrong usage or settings.

Examples:
  agenticraft-registry audit head
  agenticraft-registry audit head --json >> auditors-heads.jsonl`;

function sequence(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number from 1");
}
