import { AuditServiceDefinition } from "@registry/contracts/audit";
import { withOperator } from "../connect.ts";

export interface HeadCommand {
  readonly json?: boolean;
  /** Settings file. */
  readonly env: string;
}

/** Prints the signed end of the log with the key that verifies it. @returns the exit code */
export async function head(command: HeadCommand): Promise<number> {
  const { current, publicKey } = await withOperator(command.env, ({ clients }) =>
    clients.of(AuditServiceDefinition).getAuditHead({ limit: 1 }, { as: "service" }),
  );
  const { sequence = 0, hash = "", time, signature = "" } = current ?? {};
  const fields = { sequence, hash, time: time?.toISOString() ?? "", signature };
  const lines =
    command.json === true
      ? [JSON.stringify({ ...fields, public_key: publicKey })]
      : [...Object.entries(fields).map(([name, value]) => `${name.padEnd(10)} ${value}`), publicKey.trimEnd()];
  process.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}
