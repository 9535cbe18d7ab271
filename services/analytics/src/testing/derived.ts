import type { World } from "./harness.ts";

type Row = { readonly _id: string; readonly [field: string]: unknown };
export const rows = async (world: Pick<World, "documents">, name: string): Promise<Row[]> => {
  const collection = await world.documents.collection<{ _id: string }>({ name, indexes: [] });
  return (await collection.find({}, { sort: [["_id", 1]] })) as unknown as Row[];
};
/** Everything that is derived, but for what says when it was derived and from which event. */
export async function derived(world: Pick<World, "documents">) {
  const without = (row: Row, ...fields: string[]) =>
    Object.fromEntries(Object.entries(row).filter(([field]) => !fields.includes(field)));
  return {
    rollups: (await rows(world, "rollups")).map((row) => without(row, "changes", "unannounced")),
    plugins: (await rows(world, "plugins")).map((row) => without(row, "revision")),
    publishes: (await rows(world, "publishes")).map((row) =>
      without(row, "revision", ...(row.publishedAt === undefined ? ["publishedBy"] : [])),
    ),
    activities: await rows(world, "activities"),
  };
}
