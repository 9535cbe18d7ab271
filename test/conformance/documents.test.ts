import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { describeDocuments, type SuiteOptions } from "@registry/documents/conformance";
import { openMongoDocuments } from "@registry/documents/mongodb";
import { afterAll, describe } from "vitest";
import { setting } from "../servers/environment.ts";
import { findServer } from "../servers/find.ts";
import { ferret, missing, mongo, stopServers } from "../servers/index.ts";

afterAll(stopServers);

function describeServer(
  name: string,
  start: () => Promise<{ readonly url: string }>,
  known: Pick<SuiteOptions, "differences" | "unsteady">,
): void {
  describeDocuments(
    name,
    async () => {
      const { url } = await start();
      // A server that the environment names keeps its data from run to run.
      const database = `conformance_${randomBytes(6).toString("hex")}`;
      const open = () => openMongoDocuments({ url, database, timeoutMs: 20_000 });
      const store = {
        documents: await open(),
        reopen: async () => {
          await store.documents.close();
          store.documents = await open();
          return store.documents;
        },
        cleanup: () => store.documents.close(),
      };
      return store;
    },
    { ...known, runs: 15 },
  );
}

/** Of the server that stands in where there is neither `mongod` nor a URL of one. */
const standIn: SuiteOptions = {
  differences: {
    "unique: an element that was removed is free": "an update leaves the index entries of removed elements behind",
    "hostile: a sort whose paths lead into different arrays": "such sorts are served in some order",
    "hostile: an index whose paths lead into different arrays": "such documents are stored",
  },
};

const noNestedArrays = "arrays inside arrays are refused";
const elementOperators = "$elemMatch takes operators only, no paths";
const pullEquals = "$pull removes equal elements only, filters match none";
const pathsThroughArrays = "null, missing and ranges at a path through an array are read differently";
const noArrayIndexes = "unique indexes do not look into arrays";
const notAtomic = "reads and writes of one update are two steps";

const ferretDb: SuiteOptions = {
  differences: {
    "filter: dotted $ne": pathsThroughArrays,
    "filter: dotted null": pathsThroughArrays,
    "filter: dotted $nin null": pathsThroughArrays,
    "filter: dotted range may be met by two elements": pathsThroughArrays,
    "filter: $elemMatch is met by one element": elementOperators,
    "filter: $elemMatch": elementOperators,
    "filter: $elemMatch with operators": elementOperators,
    "filter: $elemMatch with null": elementOperators,
    "filter: an array inside an array is no element of the outer one's": noNestedArrays,
    "update: $push an array is one element": noNestedArrays,
    "update: $pull a scalar": noNestedArrays,
    "update: indexes follow changes of arrays inside arrays": noNestedArrays,
    "update: $pull by filter": pullEquals,
    "update: $pull by filter on null": pullEquals,
    "write: what goes in comes out": noNestedArrays,
    "write: survives reopening, with its indexes": noArrayIndexes,
    "unique: a path, by insert, update and replacement": "a duplicate key error does not name the index",
    "unique: compound, where documents that lack all paths do not collide":
      "a duplicate key error does not name the index",
    "unique: compound, where one path is missing": "null and missing never collide",
    "unique: updateEach names the index that one of its changes met": "the collision is told as a fault of the server",
    "unique: elements of arrays": noArrayIndexes,
    "unique: a path into objects of an array": noArrayIndexes,
    "index: a unique one is refused where documents collide": "the refusal is no duplicate key error",
    "hostile: a sort whose paths lead into different arrays": "such sorts are served in some order",
    "hostile: an index whose paths lead into different arrays": "such documents are stored",
  },
  unsteady: {
    "race: of many compare-and-sets exactly one wins": notAtomic,
    "race: increments add up": notAtomic,
    "race: upserts of one id make one document": notAtomic,
    "race: upserts of the same ids by updateEach make one document each": notAtomic,
    "race: workers that claim by findOneAndUpdate never share": notAtomic,
    "random: an index changes no result": elementOperators,
    "random: filters find what the reference finds": elementOperators,
    "random: sorts, skips and limits cut what the reference cuts": elementOperators,
    "random: updates leave what the reference leaves, and the indexes true to it": elementOperators,
  },
};

const isMongod = setting("TEST_MONGODB_URL") !== undefined || basename(findServer("mongo") ?? "").startsWith("mongod");

describe.skipIf(missing("mongo"))("MongoDB", () => {
  describeServer("documents on a MongoDB server", mongo, isMongod ? {} : standIn);
});
describe.skipIf(missing("ferret"))("FerretDB", () => {
  describeServer("documents on FerretDB", ferret, ferretDb);
});
