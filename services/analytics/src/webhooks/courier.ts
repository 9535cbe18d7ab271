import { outsideTraces } from "@registry/kit";
import { disable } from "./disable.ts";
import { outcomeOf } from "./metrics.ts";
import type { Attempt, Delivery } from "./model/delivery.ts";
import { delayAfter, restAsked } from "./model/schedule.ts";
import { openSecret } from "./model/secret.ts";
import { signaturesOf } from "./model/sign.ts";
import type { Webhook } from "./model/webhook.ts";
import type { WorkParts } from "./parts.ts";
import type { FailureWord } from "./sending/failure.ts";
import type { Answer } from "./sending/post.ts";

/** A receiver that failed for so long and works again is sent at once whatever waits for it. */
const awayMs = 60_000;
/** A webhook is not given up for one event that its receiver did not get half an hour to take. */
const fewestFailures = 4;
/** Nor for one that was not kept from it as long, by rests that it asked for. */
const fewestHeldMs = 30 * 60_000;

/** Makes one attempt after the other, and writes down what came of each. */
export class Courier {
  readonly #parts: WorkParts;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /**
   * One attempt, of a delivery that the webhook's owner may be told.
   * @param ending gives it up; nothing is written down then
   */
  async attempt(webhook: Webhook, delivery: Delivery, ending: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#parts;
    const time = clock.now();
    const began = performance.now();
    const answer = await this.#send(webhook, delivery, time, ending);
    const ms = Math.round(performance.now() - began);
    metrics.attemptSeconds.observe(ms / 1000);
    const arrived = typeof answer !== "string" && answer.status >= 200 && answer.status < 300;
    if (arrived) await this.#arrived(webhook, delivery, { time, status: answer.status, ms, error: "" });
    else await this.#failed(webhook, delivery, answer, { time, ms });
  }

  async #send(webhook: Webhook, delivery: Delivery, time: Date, ending: AbortSignal): Promise<Answer | FailureWord> {
    const { keys, sender, version } = this.#parts;
    const { _id: id, secret, oldSecrets = [] } = webhook;
    const sealed = [secret, ...oldSecrets.filter(({ until }) => until > time).map((old) => old.sealed)];
    const secrets = sealed.flatMap((each) => openSecret(keys, id, each) ?? []);
    if (secrets.length < sealed.length) return "secret unreadable";
    const { _id, body } = delivery;
    const timestamp = Math.floor(time.getTime() / 1000);
    const headers = {
      "content-type": "application/json",
      "user-agent": `AgentiCraft-Registry/${version}`,
      "webhook-id": _id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signaturesOf(secrets, { id: _id, timestamp, body }),
    };
    return outsideTraces(() => sender.send({ url: new URL(webhook.url), headers, body }, ending));
  }

  async #arrived(webhook: Webhook, delivery: Delivery, attempt: Attempt): Promise<void> {
    const { clock, deliveries, webhooks, metrics } = this.#parts;
    await deliveries.delivered(delivery, attempt);
    metrics.deliveries.inc({ outcome: "delivered" });
    const failingSince = await webhooks.works(webhook._id);
    const now = clock.now();
    if (failingSince !== undefined && now.getTime() - failingSince.getTime() > awayMs) {
      await deliveries.hasten(webhook._id, now);
    }
  }

  async #failed(
    webhook: Webhook,
    delivery: Delivery,
    answer: Answer | FailureWord,
    { time, ms }: Pick<Attempt, "time" | "ms">,
  ): Promise<void> {
    const { clock, deliveries, webhooks, metrics } = this.#parts;
    const status = typeof answer === "string" ? 0 : answer.status;
    const error = typeof answer === "string" ? answer : `answered ${status}`;
    metrics.deliveries.inc({ outcome: typeof answer === "string" ? outcomeOf(answer) : "failed_answer" });
    const now = clock.now();
    const rest = typeof answer === "string" ? undefined : restAsked(status, answer.retryAfter, now);
    // Who is not asked any more says nothing of whoever is asked instead.
    const isGone = status === 410 && (await webhooks.find(webhook._id))?.url === webhook.url;
    const isPing = delivery.type === "ping";
    const delay = isGone || isPing ? undefined : delayAfter(delivery.failures + 1, delivery._id);
    if (delay === undefined) metrics.deliveries.inc({ outcome: "given_up" });
    const nextAt = delay === undefined ? undefined : new Date(now.getTime() + Math.max(delay, rest ?? 0));
    await deliveries.failed(delivery, { time, status, ms, error }, nextAt);
    if (isGone) return disable(this.#parts, webhook, "gone");
    if (isPing) return;
    await webhooks.fails(webhook, now, rest === undefined ? undefined : new Date(now.getTime() + rest));
    if (this.#failsTooLong(webhook, delivery, now)) await disable(this.#parts, webhook, "failing");
  }

  #failsTooLong({ failingSince, restUntil }: Webhook, { failures, nextAt }: Delivery, now: Date): boolean {
    // After each rest another has its turn, so where much waits none may ever fail so often.
    const heldMs = restUntil === undefined || nextAt === undefined ? 0 : restUntil.getTime() - nextAt.getTime();
    if (failingSince === undefined || (failures + 1 < fewestFailures && heldMs < fewestHeldMs)) return false;
    return now.getTime() - failingSince.getTime() >= this.#parts.config.WEBHOOK_DISABLE_AFTER_HOURS * 3600_000;
  }
}
