import { setting } from "@registry/kit";
import { isNetwork } from "@registry/limits";

const { integer, list } = setting;

export const webhookSettings = {
  WEBHOOK_ALLOWED_NETWORKS: list({
    description:
      "Addresses or networks (10.0.0.0/8) that webhooks may call although they are private, and over plain http; none else are",
    fallback: [],
    item: isNetwork,
    expects: "an address, or a network such as 10.0.0.0/8",
  }),
  WEBHOOK_TIMEOUT_SECONDS: integer({
    description: "Longest that a webhook's receiver may take to be reached and to answer",
    fallback: 15,
    min: 1,
    max: 60,
  }),
  WEBHOOK_CONCURRENCY: integer({
    description: "Webhook deliveries under way at once in one process; a single webhook has at most four",
    fallback: 32,
    min: 1,
    max: 1000,
  }),
  WEBHOOK_DISABLE_AFTER_HOURS: integer({
    description: "Hours of nothing but failures after which a webhook is switched off",
    fallback: 120,
    min: 24,
    max: 8760,
  }),
  WEBHOOK_LOG_DAYS: integer({
    description: "Days that deliveries of webhooks are kept, with their attempts",
    fallback: 30,
    // What is tried for the last time is a day and a half old.
    min: 3,
    max: 365,
  }),
  LIMIT_WEBHOOKS_PER_OWNER: integer({
    description: "Webhooks that one user, or one organisation, may have",
    fallback: 20,
    min: 0,
    max: 1000,
  }),
  RATE_LIMIT_WEBHOOK_TESTS: integer({
    description: "Tests and redeliveries of webhooks that one user may ask for in a minute; 0: as many as one likes",
    fallback: 20,
    min: 0,
    max: 1_000_000,
  }),
};
