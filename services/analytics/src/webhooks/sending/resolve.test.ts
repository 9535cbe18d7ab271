import { expect, it } from "vitest";
import { systemResolve } from "./resolve.ts";

it("knows the names of this machine where networks of its own are allowed", async () => {
  const found = await systemResolve(true)("localhost", AbortSignal.timeout(20_000));
  expect(found).toContain("127.0.0.1");
});

it("ends with its signal, whatever the name server does", async () => {
  const ended = AbortSignal.abort(new Error("the end"));
  await expect(systemResolve(false)("receiver.example", ended)).rejects.toThrow("the end");
});
