import type {
  DeprecateRequest,
  DeprecateResponse,
  UndeprecateRequest,
  UndeprecateResponse,
} from "@registry/contracts/catalog";
import {
  type Caller,
  invalid,
  isLongerThan,
  isPlainText,
  isPluginName,
  listedStates,
  permissionDenied,
  quote,
  RegistryError,
} from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayUpdate } from "../model/access.ts";
import { type PluginDocument, shownVisibility } from "../model/plugin.ts";
import type { Deprecation, ReleaseDocument } from "../model/release.ts";
import { assertHarmless } from "../model/texts.ts";
import type { Parts } from "../parts.ts";
import { changePlugin, nameOf } from "./change-plugin.ts";
import { changeRelease } from "./change-release.ts";

const longestMessage = 500;

/** Nothing is hidden by it: it is shown wherever the plugin or the release is. */
export function deprecate(parts: Parts) {
  return async (request: DeprecateRequest, context: CallContext): Promise<DeprecateResponse> =>
    change(parts, request, context, readDeprecation(parts, request));
}

export function undeprecate(parts: Parts) {
  return async (request: UndeprecateRequest, context: CallContext): Promise<UndeprecateResponse> =>
    change(parts, request, context, undefined);
}

function change(
  parts: Parts,
  { name, version }: UndeprecateRequest,
  context: CallContext,
  deprecation: Deprecation | undefined,
): Promise<DeprecateResponse> {
  const edit = deprecation === undefined ? ({ unset: ["deprecation"] } as const) : { set: { deprecation } };
  if (version === "") {
    return changePlugin(parts, name, context, (plugin) => {
      authorise(context.caller, plugin);
      return edit;
    }).then((plugin) => ({ plugin, release: undefined }));
  }
  return changeRelease(parts, name, version, context, (plugin, release) => {
    authorise(context.caller, plugin);
    assertListed(release);
    return {
      ...edit,
      event: (before, revision) => {
        const visibility = shownVisibility(before);
        const about = { plugin: plugin._id, visibility, updatedBy: nameOf(context.caller), revision };
        return parts.events.make("registry.catalog.plugin.updated", plugin._id, about);
      },
    };
  });
}

function assertListed({ state }: ReleaseDocument): void {
  if (listedStates.includes(state)) return;
  const message = `A release that is ${state} is seen by nobody who would have to be told`;
  throw new RegistryError("conflict", "INVALID_STATE", message);
}

function authorise(caller: Caller, plugin: PluginDocument): void {
  if (!mayUpdate(caller, plugin)) throw permissionDenied();
}

/** @throws `invalid_argument`, reasons `INVALID_MESSAGE` and `INVALID_SUCCESSOR` */
function readDeprecation({ policy }: Pick<Parts, "policy">, { name, deprecation }: DeprecateRequest): Deprecation {
  const { message = "", successor = "" } = deprecation ?? {};
  if (message.trim() === "" || isLongerThan(message, longestMessage) || !isPlainText(message)) {
    const text = `message: say in 1 to ${longestMessage} characters, without control characters, what to do instead`;
    throw invalid("INVALID_MESSAGE", text, "/message");
  }
  if (successor !== "" && (!isPluginName(successor) || successor === name)) {
    throw invalid(
      "INVALID_SUCCESSOR",
      `successor: ${quote(successor)} is not the name of another plugin`,
      "/successor",
    );
  }
  assertHarmless({ message }, policy);
  return { message, successor };
}
