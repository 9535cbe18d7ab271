import { setting } from "@registry/kit";
import { changeSettings } from "./changes/config.ts";
import { webhookSettings } from "./webhooks/config.ts";

export const analyticsSettings = {
  ...changeSettings,
  ...webhookSettings,
  USAGE_RETENTION_DAYS: setting.integer({
    description:
      "Days that single downloads and searches are kept, 8 to 90; one day before that they are not taken any more",
    fallback: 9,
    min: 8,
    max: 90,
  }),
};
