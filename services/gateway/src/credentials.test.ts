import { Plugin, Release, ReleaseState } from "@registry/contracts/catalog";
import { signInternalToken } from "@registry/kit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { formHeaders, multipartBody, rawSocket } from "./testing/http.ts";

let stack: FakeStack;
let received: number;
const aborted: string[] = [];
const publishers: unknown[] = [];

beforeEach(async () => {
  received = 0;
  for (const list of [aborted, publishers]) list.splice(0);
  stack = await startFakeStack({
    catalog: {
      getPlugin: async () => ({ details: { plugin: Plugin.fromPartial({ name: "pump" }), versions: [] } }),
      async publishRelease(_request, { caller }) {
        publishers.push(caller);
        const state = ReleaseState.RELEASE_STATE_PUBLISHED;
        const release = Release.fromPartial({ version: "1.0.0", container: "zip", state });
        return { plugin: Plugin.fromPartial({ name: "pump" }), release, created: true };
      },
    },
    storage: {
      async uploadPackage(messages) {
        for await (const _ of messages) received += 1;
        return { upload: { id: "upload", sha256: "0".repeat(64), size: 1 } };
      },
      async abortUpload({ uploadId }) {
        aborted.push(uploadId);
        return {};
      },
    },
  });
});
afterEach(() => stack.close());

describe("what services pass on among themselves", () => {
  const user = { user_id: 1, username: "ann", role: "admin", epoch: 0 };

  it.each([
    ["of a user", user] as const,
    ...["gateway", "catalog", "cli"].map((svc) => [`of ${svc}`, { svc }] as const),
  ])("is no credential out here: a token %s", async (_, claims) => {
    const { keys, clock } = stack.around;
    const exp = Math.floor(clock.now().getTime() / 1000) + 60;
    const token = signInternalToken(keys, { iss: "agenticraft-registry", exp, ...claims });
    for (const scheme of ["Bearer", "bearer"]) {
      const headers = { authorization: `${scheme} ${token}` };
      expect((await fetch(`${stack.url}/api/v1/plugins/pump`, { headers })).status).toBe(401);
    }
  });
});

describe("a publish whose body comes slowly", () => {
  const body = multipartBody([{ name: "package", filename: "p.zip", content: Buffer.alloc(600 * 1024, "x") }]);

  /** @param meanwhile happens while half of the body is there */
  async function publish(meanwhile: () => void): Promise<string> {
    const socket = await rawSocket(stack.url);
    let heard = "";
    socket.on("data", (bytes) => {
      heard += bytes.toString("latin1");
    });
    const head = `content-type: ${formHeaders["content-type"]}\r\ncontent-length: ${body.length}`;
    socket.write(`POST /api/v1/plugins HTTP/1.1\r\nhost: a\r\nauthorization: Bearer publisher\r\n${head}\r\n\r\n`);
    socket.write(body.subarray(0, body.length / 2));
    await vi.waitFor(() => expect(received).toBeGreaterThan(1));
    meanwhile();
    socket.write(body.subarray(body.length / 2));
    await vi.waitFor(() => expect(heard).toMatch(/^HTTP\/1\.1 \d{3} /));
    socket.destroy();
    return heard.slice(9, 12);
  }

  it("is made though what was passed on at its start has ended since", async () => {
    expect(await publish(() => stack.around.clock.advance(61_000))).toBe("201");
    expect(publishers).toMatchObject([{ username: "publisher" }]);
  });

  it("is not made where the credential was withdrawn since, and leaves nothing behind", async () => {
    const withdraw = (): void => {
      stack.withdrawn.add("publisher");
      stack.around.clock.advance(31_000);
    };
    expect(await publish(withdraw)).toBe("401");
    expect([publishers, aborted]).toEqual([[], ["upload"]]);
  });
});
