import { execFile } from "node:child_process";
import { captureFailure, registerSecret } from "../secrets/record.ts";
import { findServer } from "../servers/find.ts";

/** What a call ended with: the answer, or the status with its details. */
export interface Called {
  /** Parsed; undefined where there was an error. */
  readonly answer: unknown;
  /** Name of the status code, e.g. `PermissionDenied`; `OK` where there was none. */
  readonly code: string;
  /** `reason` of the `ErrorInfo` in the status. */
  readonly reason: string | undefined;
  readonly output: string;
}

interface Status {
  code: number;
  message: string;
  details?: { "@type": string; reason?: string }[];
}

const codes: Readonly<Record<number, string>> = {
  3: "InvalidArgument",
  5: "NotFound",
  6: "AlreadyExists",
  7: "PermissionDenied",
  9: "FailedPrecondition",
  12: "Unimplemented",
  14: "Unavailable",
  16: "Unauthenticated",
};

/** Calls one RPC as any client does that has nothing but the address: by reflection. */
export async function callGrpc(
  address: string,
  method: string,
  request: object | readonly object[] = {},
  token?: string,
): Promise<Called> {
  // Several messages of a stream stand one after another.
  const messages = [request]
    .flat()
    .map((message) => JSON.stringify(message))
    .join("\n");
  if (token !== undefined) registerSecret("credential", token);
  const credential = token === undefined ? [] : ["-H", `authorization: Bearer ${token}`];
  const flags = ["-plaintext", "-format-error", "-max-time", "20", ...credential, "-d", messages];
  const { stdout, stderr, failed } = await run([...flags, address, method]);
  if (!failed) return { answer: JSON.parse(stdout), code: "OK", reason: undefined, output: stdout };
  captureFailure(stderr);
  const text = stderr.slice(Math.max(0, stderr.indexOf("{")));
  const status = JSON.parse(text) as Status;
  const info = status.details?.find((detail) => detail["@type"].endsWith("google.rpc.ErrorInfo"));
  return { answer: undefined, code: codes[status.code] ?? String(status.code), reason: info?.reason, output: stderr };
}

/** The services that an address tells of by reflection. */
export async function listServices(address: string): Promise<string[]> {
  const { stdout, stderr, failed } = await run(["-plaintext", "-max-time", "20", address, "list"]);
  if (failed) throw new Error(stderr);
  return stdout.trim().split("\n");
}

function run(args: string[]): Promise<{ stdout: string; stderr: string; failed: boolean }> {
  const program = findServer("grpcurl");
  if (program === undefined) throw new Error("grpcurl is not installed");
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 30_000 }, (error, stdout, stderr) => {
      resolve({ stdout, stderr, failed: error !== null });
    });
  });
}
