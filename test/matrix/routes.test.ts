import { beforeAll, describe, expect, it } from "vitest";
import { createWorld } from "../e2e/world.ts";
import { createFixture, type Fixture } from "./fixture.ts";
import { routeRows } from "./route-rows.ts";
import { type CallerKind, callerKinds, type Expected, expectedFor } from "./row.ts";

const words: Readonly<Record<number, Expected>> = { 401: "unauthenticated", 403: "denied", 404: "missing" };

describe("every route, asked by every kind of caller", () => {
  const world = createWorld("embedded", { RATE_LIMIT_WRITES: "0" });
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await createFixture(world);
  }, 120_000);

  it("has a row", async () => {
    const { paths } = (await world.anonymous.gets("/openapi.json")).json<{ paths: Record<string, object> }>();
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(Object.keys(routeRows).sort()).toEqual(routes.sort());
  });

  it.each(Object.keys(routeRows))("%s", async (route) => {
    const row = routeRows[route];
    if (row === undefined) throw new Error("no row");
    const [method = ""] = route.split(" ");
    const outcomes: Partial<Record<CallerKind, string>> = {};
    for (const kind of callerKinds) {
      const { path, ...sent } = await row.ask(fixture, kind);
      const answer = await fixture.callers[kind].request(method, path, sent);
      const isRefusal = answer.status in words;
      if (!isRefusal && row.spends === true) fixture.spend();
      // What is let in may still be refused for what it asks, but never by a fault.
      outcomes[kind] = isRefusal ? words[answer.status] : answer.status < 500 ? "ok" : String(answer.status);
    }
    fixture.spend();
    const expected = Object.fromEntries(callerKinds.map((kind) => [kind, expectedFor(row, kind)]));
    expect(outcomes).toEqual(expected);
  });
});
