import { describe, expect, expectTypeOf, it } from "vitest";
import { mongoDatabaseName } from "./open.ts";
import type { Collection, Filter, IndexSpec, Sort, Update } from "./port.ts";

type Account = { _id: string; email: string; roles?: string[] };

describe("the port's types", () => {
  it("take the operators of the port", () => {
    const filters: Filter[] = [
      {},
      { _id: "x", n: { $gte: 1, $lt: 5 }, at: new Date(0), gone: null },
      { list: { $elemMatch: { x: 1, y: { $in: ["a", null] } } } },
      { $or: [{ a: 1 }, { $and: [{ b: { $ne: true } }] }] },
    ];
    const update: Update = {
      $set: { "a.b": [1, { c: new Date(0) }] },
      $push: { l: { $each: [1] } },
      $pull: { m: { x: 1 } },
    };
    expect(filters).toHaveLength(4);
    expect(Object.keys(update)).toHaveLength(3);
  });

  it("refuse others", () => {
    const refused = [
      // @ts-expect-error no regular expressions
      { a: { $regex: ".*" } } satisfies Filter,
      // @ts-expect-error no code
      { $where: "true" } satisfies Filter,
      // @ts-expect-error $not is not on the list
      { a: { $not: { $eq: 1 } } } satisfies Filter,
      // @ts-expect-error a value is a scalar, no object
      { a: { b: 1 } } satisfies Filter,
      // @ts-expect-error a value is a scalar, no list
      { a: [1] } satisfies Filter,
      // @ts-expect-error null has no order
      { a: { $gt: null } } satisfies Filter,
      // @ts-expect-error $elemMatch takes paths
      { a: { $elemMatch: { $gt: 1 } } } satisfies Filter,
      // @ts-expect-error $in takes a list
      { a: { $in: "x" } } satisfies Filter,
      // @ts-expect-error $or takes filters
      { $or: { a: 1 } } satisfies Filter,
      // @ts-expect-error $rename is not on the list
      { $rename: { a: "b" } } satisfies Update,
      // @ts-expect-error $inc takes numbers
      { $inc: { a: "1" } } satisfies Update,
      // @ts-expect-error an order is 1 or -1
      [["a", 2]] satisfies Sort,
      // @ts-expect-error an index has keys
      { name: "by_a" } satisfies IndexSpec,
    ];
    expect(refused).toHaveLength(13);
  });

  it("give back what the collection holds", () => {
    expectTypeOf<Awaited<ReturnType<Collection<Account>["find"]>>>().toEqualTypeOf<Account[]>();
    expectTypeOf<Awaited<ReturnType<Collection<Account>["findOne"]>>>().toEqualTypeOf<Account | null>();
    expectTypeOf<Parameters<Collection<Account>["insertOne"]>>().toEqualTypeOf<[document: Account]>();
  });
});

describe("the database of a service", () => {
  it.each([
    ["mongodb://localhost:27017", "agenticraft_auth"],
    ["mongodb://localhost:27017/", "agenticraft_auth"],
    ["mongodb://localhost:27017/?replicaSet=rs0", "agenticraft_auth"],
    ["mongodb://a:1,b:2,c:3/team?replicaSet=rs0", "team_auth"],
    ["mongodb+srv://user:p%2Fw@cluster.example/team", "team_auth"],
  ])("at %s is %s", (url, name) => {
    expect(mongoDatabaseName(url, "auth")).toBe(name);
  });
});
