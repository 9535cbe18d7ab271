import type { AuthServiceDefinition } from "@registry/contracts/auth";
import type { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import type { StorageServiceDefinition } from "@registry/contracts/storage";
import type { Policy } from "@registry/domain";
import type { ServiceClient, SettingsOf, Surroundings } from "@registry/kit";
import type { Limits } from "@registry/limits";
import type { Books } from "./books.ts";
import type { ChangeHub } from "./changes.ts";
import type { catalogSettings } from "./config.ts";
import type { EventMaker } from "./events.ts";
import type { PluginDocument } from "./model/plugin.ts";
import type { Projector } from "./projector.ts";
import type { PublishOutcomes } from "./publish/outcomes.ts";
import type { Directory } from "./search/directory.ts";
import type { PluginStore } from "./store/plugins.ts";
import type { ReleaseStore } from "./store/releases.ts";

/** What the use cases are made of. */
export interface Parts {
  readonly config: SettingsOf<typeof catalogSettings>;
  readonly policy: Policy;
  readonly clock: Surroundings["clock"];
  readonly keys: Surroundings["keys"];
  readonly log: Surroundings["log"];
  readonly plugins: PluginStore;
  readonly releases: ReleaseStore;
  readonly limits: Limits;
  readonly books: Books;
  readonly directory: Directory;
  readonly projector: Projector;
  readonly changes: ChangeHub;
  readonly events: EventMaker;
  readonly outcomes: PublishOutcomes;
  /** Usable once the service has started. */
  readonly storage: () => ServiceClient<typeof StorageServiceDefinition>;
  readonly auth: () => ServiceClient<typeof AuthServiceDefinition>;
  readonly organisations: () => ServiceClient<typeof OrganisationServiceDefinition>;
  /** A plugin was written: lists, searches and watchers of this replica follow before the answer goes out. */
  readonly learned: (plugin: PluginDocument) => void;
  /** Reads plugins anew, for a caller that knows of a change which this replica may not have heard of yet. */
  readonly reread: (names: readonly string[]) => Promise<void>;
  /** Tests of staged releases wait to be run. */
  readonly kickTests: () => void;
  /** Events wait to be relayed. */
  readonly kick: () => void;
}
