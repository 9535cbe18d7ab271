import type { SetChannelRequest, SetChannelResponse } from "@registry/contracts/catalog";
import { invalid, isChannelName, parseVersion, permissionDenied, quote, versionNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayTend } from "../model/access.ts";
import type { Parts } from "../parts.ts";
import { tooManyChannels } from "../publish/stage.ts";
import { changePlugin } from "./change-plugin.ts";

export function setChannel(parts: Parts) {
  return async (request: SetChannelRequest, context: CallContext): Promise<SetChannelResponse> => {
    const { channel } = request;
    const plugin = await changePlugin(parts, request.name, context, (before, heads) => {
      if (!mayTend(context.caller, before)) throw permissionDenied();
      assertChannel(channel);
      const version = parseVersion(request.version);
      if (!heads.some((head) => head.version === version && head.state === "published")) throw versionNotFound();
      const others = Object.keys(before.pins).filter((other) => other !== channel);
      if (others.length >= parts.config.LIMIT_CHANNELS) throw tooManyChannels(parts.config.LIMIT_CHANNELS);
      const revision = Math.max(before.revision, before.sequence) + 1;
      return { set: { pins: { ...before.pins, [channel]: { version, revision } } } };
    });
    return { plugin };
  };
}

/** @throws `invalid_argument` INVALID_CHANNEL */
export function assertChannel(channel: string): void {
  if (isChannelName(channel)) return;
  throw invalid("INVALID_CHANNEL", `channel: ${quote(channel)} is no channel; use a-z, then a-z 0-9 -`, "/channel");
}
