import { afterAll, beforeAll, expect, it } from "vitest";
import { pluginFiles, zipOf } from "../testing/packages.ts";
import { Stack } from "../testing/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack.close());

async function shown({ surroundings }: Stack, name: string): Promise<number | undefined> {
  return (await surroundings.metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value;
}

it("what is kept is counted from the records, what arrived as it came", async () => {
  const packages = ["one", "two", "three"].map((name) => zipOf(pluginFiles({ name })));
  const bytes = packages.reduce((sum, { length }) => sum + length, 0);
  for (const each of packages) await stack.publish(each);
  const [again = Buffer.alloc(0)] = packages;
  await stack.publish(again);
  expect(await shown(stack, "registry_upload_bytes_total")).toBe(bytes + again.length);
  // Counted at the start, and then now and then.
  const other = await Stack.start({ besides: stack });
  try {
    await expect.poll(() => shown(other, "registry_blobs")).toBe(3);
    expect(await shown(other, "registry_blobs_bytes")).toBe(bytes);
    expect(await shown(other, "registry_upload_bytes_total")).toBe(0);
  } finally {
    await other.leave();
  }
});
