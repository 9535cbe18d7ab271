import { AuthServiceDefinition } from "@registry/contracts/auth";
import { withOperator } from "./connect.ts";

export interface ResetTotpCommand {
  readonly json?: boolean;
  /** Settings file. */
  readonly env: string;
}

/** Takes the second factor from somebody who has lost it, so that the password alone logs in again. @returns the exit code */
export async function resetTotp(username: string, command: ResetTotpCommand): Promise<number> {
  await withOperator(command.env, async ({ clients }) => {
    await clients.of(AuthServiceDefinition).resetTotp({ username }, { as: "service" });
  });
  const line =
    command.json === true
      ? JSON.stringify({ username, totp: false })
      : `${username} logs in with the password alone from now on, and may set up another second factor`;
  process.stdout.write(`${line}\n`);
  return 0;
}
