import type { Collection, Document, Documents } from "@registry/documents";
import { unavailable } from "@registry/domain";

/** Lets the n-th step of the stores behind it fail, before or after it did its part; the steps after it work again. */
export class Fuse {
  #left = Number.POSITIVE_INFINITY;
  #moment: "before" | "after" = "before";
  isBlown = false;

  arm(step: number, moment: "before" | "after"): void {
    this.#left = step;
    this.#moment = moment;
    this.isBlown = false;
  }

  disarm(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  /** @param target an object of which every method is a step, but those that give no promise */
  wrap<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, property) => {
        const value: unknown = Reflect.get(object, property, object);
        if (typeof value !== "function" || property === "list") {
          return typeof value === "function" ? value.bind(object) : value;
        }
        return (...args: unknown[]) => this.#step(() => Promise.resolve(Reflect.apply(value, object, args)));
      },
    });
  }

  documents(documents: Documents): Documents {
    return {
      collection: async <T extends Document>(spec: Parameters<Documents["collection"]>[0]): Promise<Collection<T>> => {
        const collection = await documents.collection<T>(spec);
        // The audit log's own writes are no steps of this service, and have their own tests.
        return spec.name === "audit_journal" ? collection : this.wrap(collection);
      },
      ping: () => documents.ping(),
      close: () => documents.close(),
    };
  }

  async #step<T>(work: () => Promise<T>): Promise<T> {
    this.#left--;
    if (this.#left !== 0) return await work();
    this.isBlown = true;
    if (this.#moment === "after") await work();
    throw unavailable("A store");
  }
}
