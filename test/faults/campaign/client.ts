import { multipart, packagePart } from "../../builders/form.ts";
import { immutablePath } from "../../e2e/actors.ts";

export interface Reply {
  readonly status: number;
  readonly bytes: Uint8Array;
}

export interface Asked {
  readonly token?: string | undefined;
  readonly body?: Uint8Array | string;
  readonly type?: string;
}

/** Somebody who waits no longer than this gives up; a fault must not hold up the whole campaign. */
const patienceMs = 15_000;

/** One request to one gateway; tried once. @throws where no whole answer comes in time */
export async function ask(method: string, url: string, { token, body, type }: Asked = {}): Promise<Reply> {
  const ended = new AbortController();
  const limit = setTimeout(() => ended.abort(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
  try {
    const response = await fetch(url, {
      method,
      redirect: "manual",
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(type === undefined ? {} : { "content-type": type }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : Buffer.from(body) }),
      signal: ended.signal,
    });
    return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
  } finally {
    clearTimeout(limit);
  }
}

export const textOf = ({ bytes }: Reply): string => Buffer.from(bytes).toString("utf8");
export const jsonOf = <T>(reply: Reply): T => JSON.parse(textOf(reply)) as T;

export function askToPublish(gateway: string, token: string, zip: Uint8Array): Promise<Reply> {
  const { body, headers } = multipart([packagePart(zip)]);
  return ask("POST", `${gateway}/api/v1/plugins`, { token, body, type: headers["content-type"] ?? "" });
}

/** @param packing the bytes as they were published, or what the AgentiCraft client unpacks */
export function askToDownload(
  gateway: string,
  { name, version }: { readonly name: string; readonly version: string },
  packing: "zip" | "tar.gz",
): Promise<Reply> {
  const derived = `/api/v1/plugins/${name}/download/${version}`;
  return ask("GET", `${gateway}${packing === "zip" ? immutablePath(name, version) : derived}`);
}
