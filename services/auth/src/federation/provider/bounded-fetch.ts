import { unavailable } from "@registry/domain";
import { anySignal } from "@registry/kit";

/** A call that takes longer has failed. */
const deadlineMs = 5000;
/** No document of a provider is nearly as large. */
const maxBytes = 512 * 1024;

export interface ProviderAnswer {
  readonly status: number;
  /** Undefined where the body is no JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/**
 * One call to a provider: bounded in time and size, and never led on to another address.
 * @param signal of whoever waits for it; absent where several may
 * @throws kind `unavailable`, reason `UNAVAILABLE`, where there is no answer, or none of its own
 */
export async function callProvider(address: string, init: RequestInit, signal?: AbortSignal): Promise<ProviderAnswer> {
  const limit = AbortSignal.timeout(deadlineMs);
  try {
    const response = await fetch(address, {
      ...init,
      redirect: "manual",
      headers: { accept: "application/json", ...init.headers },
      signal: signal === undefined ? limit : anySignal(signal, limit),
    });
    const text = await readBounded(response);
    if (response.status >= 500) throw new Error(`status ${response.status}`);
    return { status: response.status, body: objectIn(text) };
  } catch (error) {
    signal?.throwIfAborted();
    throw unavailable("The identity provider", error);
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (size > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
