import { setting } from "@registry/kit";

export const changeSettings = {
  CHANGES_RETENTION_DAYS: setting.integer({
    description: "Days that the change feed goes back, 8 to 3650; who was away for longer has to read everything anew",
    fallback: 90,
    // Events may come again for seven days, and are told from new ones by what is kept.
    min: 8,
    max: 3650,
  }),
};
