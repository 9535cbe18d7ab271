import { setting } from "@registry/kit";

export const analyticsSettings = {
  USAGE_RETENTION_DAYS: setting.integer({
    description:
      "Days that single downloads and searches are kept, 8 to 90; one day before that they are not taken any more",
    fallback: 9,
    min: 8,
    max: 90,
  }),
};
