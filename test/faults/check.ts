import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { setting } from "../servers/environment.ts";
import { type CheckOptions, checkInvariants, verdictLines } from "./invariants/index.ts";
import { readJournal } from "./invariants/journal.ts";

const usage = `npm run faults -- check --url URL --journal FILE [options]

  --url URL          a gateway, e.g. http://127.0.0.1:8080
  --journal FILE     what clients did, see test/faults/README.md
  --mongo URL        as in MONGODB_URL
  --s3 URL           as in S3_ENDPOINT; S3_BUCKET, S3_ACCESS_KEY and S3_SECRET_KEY come from the environment
  --data FOLDER      DATA_DIR of a registry with embedded stores, instead of --mongo and --s3
  --nats URL         as in NATS_URL: consumers are looked at, too
  --log FILE         may be repeated: no secret may stand in it
  --secrets FILE     those secrets, one a line
  --settle SECONDS   how long outbox, counts and garbage may take (30)
  --grace SECONDS    UPLOAD_LIFETIME_SECONDS of the registry (3600): uploads that came to nothing may stay for so long
  --others           there may be releases that the journal does not tell of, as where the registry was not empty
  --json             one JSON object

ADMIN_TOKEN in the environment has what is private looked at as well.
Exit codes: 0 everything that could be judged holds, 1 something is broken, 2 wrong usage.`;

/** Holds a running registry against the invariants. @returns the exit code */
export async function checkCommand(args: readonly string[]): Promise<number> {
  let options: CheckOptions;
  let asJson = false;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...{ url: { type: "string" }, journal: { type: "string" }, mongo: { type: "string" }, s3: { type: "string" } },
        ...{ data: { type: "string" }, nats: { type: "string" }, secrets: { type: "string" } },
        ...{ settle: { type: "string", default: "30" }, json: { type: "boolean", default: false } },
        ...{ grace: { type: "string", default: "3600" }, others: { type: "boolean", default: false } },
        help: { type: "boolean", default: false },
        log: { type: "string", multiple: true, default: [] },
      },
    });
    if (values.help) {
      process.stdout.write(`${usage}\n`);
      return 0;
    }
    asJson = values.json;
    options = optionsFrom(values);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
    return 2;
  }
  const verdicts = await checkInvariants(options);
  const text = asJson ? JSON.stringify({ invariants: verdicts }, null, 2) : verdictLines(verdicts).join("\n");
  process.stdout.write(`${text}\n`);
  return verdicts.some(({ holds }) => holds === false) ? 1 : 0;
}

interface Given {
  readonly url?: string | undefined;
  readonly journal?: string | undefined;
  readonly mongo?: string | undefined;
  readonly s3?: string | undefined;
  readonly data?: string | undefined;
  readonly nats?: string | undefined;
  readonly secrets?: string | undefined;
  readonly log: string[];
  readonly settle: string;
  readonly grace: string;
  readonly others: boolean;
}

function optionsFrom({
  url,
  journal,
  mongo,
  s3,
  data,
  nats,
  secrets,
  log,
  settle,
  grace,
  others,
}: Given): CheckOptions {
  if (url === undefined || journal === undefined) throw new Error("--url and --journal are needed");
  for (const [name, text] of Object.entries({ settle, grace })) {
    if (!/^\d{1,7}$/.test(text)) throw new Error(`--${name}: expected a whole number of seconds`);
  }
  const [bucket = "agenticraft-plugins", accessKey, secretKey] = ["S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY"].map(
    setting,
  );
  if (s3 !== undefined && (accessKey === undefined || secretKey === undefined)) {
    throw new Error("--s3: S3_ACCESS_KEY and S3_SECRET_KEY are needed in the environment");
  }
  return {
    ...{ url, entries: readJournal(journal), token: setting("ADMIN_TOKEN") },
    ...{ mongodbUrl: mongo, dataDir: data, natsUrl: nats, logs: log, settleMs: Number(settle) * 1000 },
    ...{ graceMs: Number(grace) * 1000, others },
    s3: s3 === undefined ? undefined : { endpoint: s3, bucket, accessKey: accessKey ?? "", secretKey: secretKey ?? "" },
    secrets:
      secrets === undefined
        ? []
        : readFileSync(secrets, "utf8")
            .split("\n")
            .filter((line) => line !== ""),
  };
}
