import { describe, expect, it } from "vitest";
import { parseFilter } from "../model/filter.ts";
import { parseSort } from "../model/order.ts";
import type { Filter, Sort } from "../port.ts";
import { planFor } from "./plan.ts";
import { type CollectionInfo, newMultikey } from "./schema.ts";

const releases: CollectionInfo = {
  name: "releases",
  indexes: [
    {
      id: 1,
      name: "by_version",
      unique: true,
      keys: parseSort([
        ["plugin", 1],
        ["version", 1],
      ]),
    },
    {
      id: 2,
      name: "by_created",
      unique: false,
      keys: parseSort([
        ["plugin", 1],
        ["created", -1],
      ]),
    },
    {
      id: 3,
      name: "by_state",
      unique: false,
      keys: parseSort([
        ["state", 1],
        ["created", -1],
      ]),
    },
    {
      id: 4,
      name: "by_tag",
      unique: false,
      keys: parseSort([
        ["tags", 1],
        ["downloads", -1],
      ]),
    },
  ],
};
const multikey = newMultikey();
/** Some document has several tags. */
multikey[4] = 1;

interface Expected {
  readonly index: string | undefined;
  /** No document is read but those that are asked for. */
  readonly exact?: boolean;
  /** The sort runs in SQL. */
  readonly sorted?: boolean;
}

const cases: readonly (readonly [name: string, filter: Filter, sort: Sort, expected: Expected])[] = [
  ["_id", { _id: "x", state: "published" }, [], { index: undefined, exact: false }],
  ["a unique key", { plugin: "a", version: "1", state: "published" }, [], { index: "by_version", exact: false }],
  ["equality and a sort", { plugin: "a" }, [["created", -1]], { index: "by_created", exact: true, sorted: true }],
  [
    "equality and a sort backwards",
    { plugin: "a" },
    [["created", 1]],
    { index: "by_created", exact: true, sorted: true },
  ],
  [
    "a list and a sort",
    { plugin: { $in: ["a", "b"] } },
    [["created", -1]],
    { index: "by_created", exact: true, sorted: true },
  ],
  ["a range behind equality", { state: "x", created: { $gt: new Date(0) } }, [], { index: "by_state", exact: true }],
  ["what is not, beside what is", { state: "x", created: { $ne: null } }, [], { index: "by_state", exact: true }],
  [
    "a sort alone",
    {},
    [
      ["state", -1],
      ["created", 1],
    ],
    { index: "by_state", exact: true, sorted: true },
  ],
  [
    "a sort that no index has",
    { plugin: "a" },
    [["downloads", 1]],
    { index: "by_version", exact: true, sorted: false },
  ],
  [
    "an element, sorted by another path",
    { tags: "x" },
    [["downloads", -1]],
    { index: "by_tag", exact: true, sorted: true },
  ],
  ["a sort by an array", { tags: "x" }, [["tags", 1]], { index: "by_tag", exact: true, sorted: false }],
  ["two elements", { $and: [{ tags: "x" }, { tags: "y" }] }, [], { index: "by_tag", exact: false }],
  ["a path without index", { license: "MIT" }, [], { index: undefined, exact: false }],
];

describe("the plan of a search", () => {
  it.each(cases)("by %s", (_, filter, sort, expected) => {
    const plan = planFor(releases, multikey, parseFilter(filter), parseSort(sort));
    if (plan.kind !== "search") throw new Error("this is one search");
    const { exact = plan.exact, sorted = plan.orderBy !== undefined } = expected;
    expect({ index: plan.index?.name, exact: plan.exact, sorted: plan.orderBy !== undefined }).toEqual({
      index: expected.index,
      exact,
      sorted,
    });
  });

  it("of alternatives that each have an index unites their results", () => {
    const plan = planFor(releases, multikey, parseFilter({ $or: [{ plugin: "a" }, { state: "b" }] }), []);
    expect(plan).toMatchObject({ kind: "union", branches: [{ index: { id: 1 } }, { index: { id: 3 } }] });
    const scan = planFor(releases, multikey, parseFilter({ $or: [{ plugin: "a" }, { license: "b" }] }), []);
    expect(scan).toMatchObject({ kind: "search", index: undefined, where: [] });
  });
});
