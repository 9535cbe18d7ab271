import { afterAll, afterEach, describe, expect, it } from "vitest";
import { stopServers } from "../servers/index.ts";
import { answersHttp } from "../servers/probes.ts";
import { missingFor, printLogsOnFailure, type Stack, stackKinds, startStack } from "./index.ts";

let stack: Stack | undefined;

printLogsOnFailure(() => stack);
afterEach(() => stack?.stop());
afterAll(stopServers);

const readiness = (running: Stack) =>
  Promise.all([...running.health].map(async ([name, url]) => [name, await answersHttp(`${url}/ready`)] as const));

describe.each(stackKinds)("a stack of kind %s", (kind) => {
  it.skipIf(missingFor(kind))("is ready in every process, again after one was killed, and stops", async () => {
    stack = await startStack(kind);
    expect(stack.adminToken).not.toBe("");
    expect(await readiness(stack)).toEqual(stack.names.map((name) => [name, true]));

    const victim = stack.names.at(-1) ?? "";
    await stack.kill(victim);
    expect(Object.fromEntries(await readiness(stack))[victim]).toBe(false);
    await stack.restart(victim);
    expect(Object.fromEntries(await readiness(stack))[victim]).toBe(true);

    await stack.stop();
    expect(await readiness(stack)).toEqual(stack.names.map((name) => [name, false]));
  });
});
