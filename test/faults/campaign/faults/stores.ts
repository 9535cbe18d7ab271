import { rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Stores } from "../../../stack/stores.ts";
import { type Fault, milliseconds } from "../scene.ts";

const names: Readonly<Record<keyof Stores, string>> = { mongo: "MongoDB", nats: "NATS", minio: "MinIO" };

/** @param how SIGTERM or `kill -9` */
export const storeAway = (store: keyof Stores, how: "stop" | "kill"): Fault => ({
  kind: `${names[store]} ${how === "stop" ? "stopped" : "killed"}`,
  async run(scene) {
    const server = scene.registry.stores[store];
    await server[how]();
    const away = milliseconds(scene);
    await pause(away);
    scene.lifted();
    await server.start();
    return `away for ${away} ms`;
  },
});

/** Longer than the server remembers ids of events: what comes again afterwards is new to it. */
export const busLongAway: Fault = {
  kind: "NATS away for longer than its memory",
  async run(scene) {
    const { stores, duplicateSeconds } = scene.registry;
    await stores.nats.kill();
    const away = duplicateSeconds * 1000 + 1000 + milliseconds(scene);
    await pause(away);
    scene.lifted();
    await stores.nats.start();
    return `away for ${away} ms`;
  },
};

/** It comes back empty: the outboxes have to send what they have kept. */
export const busDataLost: Fault = {
  kind: "NATS loses its data",
  async run(scene) {
    const { nats } = scene.registry.stores;
    await nats.kill();
    rmSync(nats.dataFolder, { recursive: true });
    await pause(milliseconds(scene));
    scene.lifted();
    await nats.start();
    return "its data folder removed";
  },
};
