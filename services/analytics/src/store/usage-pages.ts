import type { Collection, Documents } from "@registry/documents";
import type { Usage } from "../model/usage.ts";

/** Single events in the order in which they happened. */
export class UsagePages {
  readonly #usages: Collection<Usage>;

  private constructor(usages: Collection<Usage>) {
    this.#usages = usages;
  }

  static async open(documents: Documents): Promise<UsagePages> {
    return new UsagePages(await documents.collection<Usage>({ name: "usages", indexes: [] }));
  }

  /** Those that are stored while it reads may be missed, but for none of before. */
  async *from(time: Date, size: number): AsyncGenerator<Usage[]> {
    let since = time;
    let passed = 0;
    for (;;) {
      const sort = [["time", 1]] as const;
      const page = await this.#usages.find({ time: { $gte: since } }, { sort, skip: passed, limit: size });
      if (page.length > 0) yield page;
      const last = page.at(-1)?.time;
      if (last === undefined || page.length < size) return;
      const same = page.filter((usage) => usage.time.getTime() === last.getTime()).length;
      passed = last.getTime() === since.getTime() ? passed + page.length : same;
      since = last;
    }
  }
}
