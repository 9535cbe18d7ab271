import { randomBytes } from "node:crypto";
import { isRegistryError } from "@registry/domain";
import { expect, vi } from "vitest";
import type { Bus, BusLog, Delivery, Event, SubscribeOptions, Subscription } from "../port.ts";

/** What a suite runs against. */
export interface OpenedBus {
  readonly bus: Bus;
  /** The same bus as another process of the same registry has it; absent where there can be but one process. */
  readonly another?: () => Promise<Bus>;
  /** Called after `bus.close()`. */
  readonly release?: () => Promise<void>;
}

export type Current = () => OpenedBus;

const fresh = (): string => randomBytes(8).toString("hex");

export const freshGroup = (): string => `group-${fresh()}`;

/** An area of its own for each test: `registry.<random>`. */
export const freshArea = (): string => `registry.t${fresh()}`;

export const freshSubject = (area = freshArea()): string => `${area}.thing.done`;

export const freshEvent = (subject: string, data: unknown = null): Event => ({
  id: fresh(),
  subject,
  source: "/services/conformance",
  time: new Date("2026-01-02T03:04:05.678Z"),
  about: "a-plugin",
  data,
});

export const silentLog: BusLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Waits until a condition holds; fails with the condition's own failure after 20 s. */
export const eventually = (condition: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(condition, { timeout: 20_000, interval: 10 });

/** Kind and reason of the registry's error that a promise rejects with. */
export async function failure(work: Promise<unknown>): Promise<{ kind: string; reason: string }> {
  const error: unknown = await work.then(
    () => new Error("It did not fail"),
    (thrown: unknown) => thrown,
  );
  if (!isRegistryError(error)) throw error;
  return { kind: error.kind, reason: error.reason };
}

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Subscribes with a handler that writes down what it got and then does what it is told to. */
export async function record(
  bus: Bus,
  options: Partial<SubscribeOptions> & Pick<SubscribeOptions, "subjects">,
  then: (delivery: Delivery) => Promise<void> | void = () => undefined,
): Promise<{ got: Delivery[]; data: () => unknown[]; subscription: Subscription }> {
  const got: Delivery[] = [];
  const subscription = await bus.subscribe({ group: freshGroup(), ...options }, async (delivery) => {
    got.push(delivery);
    await then(delivery);
  });
  return { got, data: () => got.map(({ event }) => event.data), subscription };
}

/** That the publications that were begun all end well. */
export async function allAccepted(publications: Promise<void>[]): Promise<void> {
  expect((await Promise.allSettled(publications)).filter(({ status }) => status === "rejected")).toEqual([]);
}
