import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { createLogger, GatheredLines } from "./log.ts";
import { passwordsIn, scrub } from "./scrub.ts";
import { inTrace, outsideTraces } from "./telemetry/context.ts";

/** Everything that a logger wrote, in lines. */
function logged(write: (log: ReturnType<typeof createLogger>) => void, secrets: readonly string[] = []): string[] {
  let text = "";
  const sink = {
    write(line: string) {
      text += line;
    },
  };
  write(createLogger("trace", {}, secrets, sink));
  return text.split("\n").slice(0, -1);
}

const apiToken = `acr_${"k3yOfSomebody-".repeat(4)}`;
const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

it("removes secret fields by name, at the top and one below", () => {
  const secret = "nothing that looks like one";
  const fields = {
    password: secret,
    otp: secret,
    id_token: secret,
    client_secret: secret,
    sealed_state: secret,
    apiToken: secret,
    totp_secret: secret,
    "set-cookie": secret,
  };
  const [top = "", nested = ""] = logged((log) => {
    log.info(fields, "top");
    log.info({ body: fields, headers: { authorization: secret, cookie: secret } }, "nested");
  });
  for (const line of [top, nested]) expect(line).not.toContain(secret);
  expect(JSON.parse(top)).toMatchObject({ password: "[secret]", "set-cookie": "[secret]", msg: "top" });
});

it("lets no error carry a connection's password, a token or a value of the settings into a line", () => {
  const cause = new Error("connect mongodb://registry:s3cret%2Fpass@db.example.com:27017/x failed");
  const error = Object.assign(new Error("cannot reach nats://registry:s3cret-nats@nats:4222", { cause }), {
    options: { url: "amqp://u:s3cret-deep@x", nested: { deeper: { authorization: `Bearer ${jwt}` } } },
    config: ['quoted"s3cret'],
    token: apiToken,
  });
  const [line = "", message = ""] = logged(
    (log) => {
      log.error({ err: error }, "start failed");
      log.warn(`sent ${apiToken} and ${jwt} to https://user:s3cret-url@host/path`);
    },
    ['quoted"s3cret'],
  );
  expect(line).not.toContain("s3cret");
  expect(line).not.toContain("eyJ");
  expect(line).not.toContain("acr_");
  expect(JSON.parse(line)).toMatchObject({ err: { message: expect.stringContaining("nats://[secret]@nats:4222") } });
  expect(JSON.parse(message).msg).toBe("sent [secret] and [secret] to https://[secret]@host/path");
});

it("keeps one record on one line, whatever it holds", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.constantFrom("", '\n{"level":"fatal","msg":"forged"}\n', "\r\n", "\u2028"),
      (text, forged) => {
        const name = text + forged;
        const lines = logged((log) => log.info({ plugin: name, userAgent: name, err: new Error(name) }, name));
        expect(lines).toHaveLength(1);
        expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "info" });
      },
    ),
  );
});

it("knows the secret of a webhook", () => {
  const secret = `whsec_${Buffer.alloc(24, 251).toString("base64")}`;
  expect(scrub(`made ${secret}, shown once`)).toBe("made [secret], shown once");
});

it("leaves alone what is no secret", () => {
  for (const text of [
    "ann@example.org",
    "http://127.0.0.1:8080/@acme/pump",
    "npm:@scope/name",
    "sha256:abc",
    "bearer",
    "whsec_ and base64",
  ]) {
    expect(scrub(text)).toBe(text);
  }
  expect(scrub("abcdef", ["abc"])).toBe("abcdef");
});

it("finds the password of a URL as it stands there and as it is meant", () => {
  expect(passwordsIn("mongodb://u:p%40ss@a,b/x?y=1")).toEqual(["p%40ss", "p@ss"]);
  expect(passwordsIn("nats://u:plain@a")).toEqual(["plain"]);
  expect(passwordsIn("nats://token@a")).toEqual([]);
  expect(passwordsIn("mongodb://a/x?y=z:@")).toEqual([]);
  expect(passwordsIn("mongodb://u:%zz@a")).toEqual(["%zz"]);
});

it("says of a line what trace it belongs to, and nothing of one that belongs to none", () => {
  const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", flags: 1 };
  const [inside = "", outside = ""] = logged((log) => {
    inTrace(trace, () => log.child({ request_id: "r" }).info("inside"));
    inTrace(trace, () => outsideTraces(() => log.info("outside")));
  });
  expect(JSON.parse(inside)).toMatchObject({ trace_id: trace.traceId, span_id: trace.spanId, request_id: "r" });
  expect(JSON.parse(outside)).not.toHaveProperty("trace_id");
});

it("hands gathered lines on whole, in order, a moment later or when there are many", async () => {
  const written: string[] = [];
  const lines = new GatheredLines({ write: (text) => void written.push(text) });
  lines.write("ä first\n");
  lines.write("second\n");
  expect(written).toEqual([]);
  await vi.waitFor(() => expect(written).toEqual(["ä first\nsecond\n"]));
  const many = Array.from({ length: 1000 }, (_, i) => `${"ü".repeat(100)} ${i}\n`);
  for (const line of many) lines.write(line);
  expect(written.length).toBeGreaterThan(1);
  lines.flush();
  lines.flush();
  expect(written.slice(1).join("")).toBe(many.join(""));
});
