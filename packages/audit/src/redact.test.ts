import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changeOf } from "./difference.ts";
import { longestJson, safeJson } from "./redact.ts";

const read = (value: unknown): unknown => JSON.parse(safeJson(value));

describe("what a row keeps of a note", () => {
  it("has no secret, by the name of its field, however deep", () => {
    const note = {
      role: "admin",
      password: "correct horse",
      newPassword: "battery",
      nested: [{ client_secret: "s", Authorization: "Bearer x", cookies: ["a", "b"], passwordHash: "$argon2id$" }],
      token_id: "t-1",
      tokenId: "t-2",
      token: { name: "ci", secret: "s" },
      secrets: 3,
    };
    expect(read(note)).toEqual({
      role: "admin",
      password: "[secret]",
      newPassword: "[secret]",
      nested: [
        {
          client_secret: "[secret]",
          Authorization: "[secret]",
          cookies: ["[secret]", "[secret]"],
          passwordHash: "[secret]",
        },
      ],
      token_id: "t-1",
      tokenId: "t-2",
      token: { name: "ci", secret: "[secret]" },
      secrets: 3,
    });
  });

  it("has no credential in any other field either", () => {
    const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl";
    for (const prefix of ["acr_", "acs_", "acp_"]) {
      const token = `${prefix}${"x".repeat(43)}abcdef`;
      expect(read({ reason: `leaked ${token}, and ${jwt} too` })).toEqual({
        reason: "leaked [secret], and [secret] too",
      });
    }
  });

  it("is nothing for nothing, and JSON for whatever it is given", () => {
    expect([safeJson(undefined), safeJson(null)]).toEqual(["", ""]);
    const circular: Record<string, unknown> = { at: new Date(0), big: 10n, gone: undefined, call: () => 1 };
    circular.self = circular;
    expect(read(circular)).toMatchObject({ at: "1970-01-01T00:00:00.000Z", big: "10" });
    fc.assert(
      fc.property(fc.anything({ withDate: true, withBigInt: true, withMap: true }), (value) => {
        const json = safeJson(value);
        expect(Buffer.byteLength(json)).toBeLessThanOrEqual(longestJson);
        if (json !== "") JSON.parse(json);
      }),
    );
  });

  it("is bounded", () => {
    expect(read({ text: "x".repeat(5000) })).toEqual({ text: `${"x".repeat(2000)}…` });
    expect(read({ list: Array.from({ length: 200 }, (_, i) => i) })).toEqual({
      list: [...Array.from({ length: 100 }, (_, i) => i), "… and 100 more"],
    });
    const large = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`field${i}`, "x".repeat(1000)]));
    expect(read(large)).toEqual({ too_large: expect.any(Number) });
  });
});

describe("the note of a change", () => {
  it("tells what differs and no more", () => {
    expect(changeOf({ owner: "a", tags: ["x"], gone: 1 }, { owner: "b", tags: ["x"], come: 2 })).toEqual({
      before: { owner: "a", gone: 1, come: undefined },
      after: { owner: "b", gone: undefined, come: 2 },
      unchanged: false,
    });
    expect(changeOf({ owner: "a" }, { owner: "a" })).toEqual({ before: {}, after: {}, unchanged: true });
  });
});
