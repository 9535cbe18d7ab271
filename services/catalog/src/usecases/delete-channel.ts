import type { DeleteChannelRequest, DeleteChannelResponse } from "@registry/contracts/catalog";
import { notFound, permissionDenied } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayTend } from "../model/access.ts";
import type { Parts } from "../parts.ts";
import { changePlugin } from "./change-plugin.ts";
import { assertChannel } from "./set-channel.ts";

export function deleteChannel(parts: Parts) {
  return async (request: DeleteChannelRequest, context: CallContext): Promise<DeleteChannelResponse> => {
    const { channel } = request;
    const plugin = await changePlugin(parts, request.name, context, (before) => {
      if (!mayTend(context.caller, before)) throw permissionDenied();
      assertChannel(channel);
      if (channel !== "latest" && !Object.hasOwn(before.pins, channel)) {
        throw notFound("CHANNEL_NOT_FOUND", "Channel not found");
      }
      const { [channel]: _, ...pins } = before.pins;
      return { set: { pins } };
    });
    return { plugin };
  };
}
