import { isRegistryError } from "@registry/domain";
import { type ServiceName, scrub, serviceNames } from "@registry/kit";
import { Argument, Command, Option } from "commander";
import type { DevCaCommand } from "./dev-ca.ts";
import { init } from "./init.ts";
import { addAuditCommands } from "./operator/audit/commands.ts";
import type { ResetTotpCommand } from "./operator/reset-totp.ts";
import { type PackCommand, pack } from "./pack.ts";
import { builtInPatterns } from "./package/left-out.ts";
import type { ServeOptions } from "./serve.ts";
import { settingsHelp } from "./settings-help.ts";
import { type ValidateCommand, validate } from "./validate.ts";
import { version } from "./version.ts";

/** Exit codes: 0 done, 1 failed, 2 wrong usage or settings. */
const usageError = 2;

const program = new Command("agenticraft-registry")
  .description("A self-hosted registry for the plugins, tools, skills, personas and MCP servers of AI agents")
  .version(version)
  .showHelpAfterError("(--help shows examples)")
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : usageError);
  });

program
  .command("init")
  .description("Write a commented settings file with fresh secrets; never overwrites")
  .option("--env <file>", "where to write it", ".env")
  .addHelpText("after", "\nExamples:\n  agenticraft-registry init\n  agenticraft-registry init --env /etc/registry.env")
  .action(async ({ env }: { env: string }) => finish(() => init(env)));

program
  .command("serve")
  .description("Run the registry: all five services in this process, or only those named")
  .addArgument(new Argument("[service...]", "services to run").choices(serviceNames))
  .option("--host <address>", "address that HTTP listens on (HOST)")
  .option("--port <port>", "port that HTTP listens on (PORT)")
  .option("--env <file>", "settings file", ".env")
  .addHelpText("after", () => `\n${serveExamples}\n\n${settingsHelp()}`)
  .action(async (services: ServiceName[], options: ServeOptions) =>
    finish(async () => {
      // All five services take a second to load, which the other commands need not wait for.
      const { serve } = await import("./serve.ts");
      return await serve(services, options);
    }),
  );

const serveExamples = `Examples:
  agenticraft-registry serve                                 everything on http://127.0.0.1:8080
  agenticraft-registry serve --host 0.0.0.0 --port 8080      reachable from other machines
  agenticraft-registry serve catalog                         one service; needs MongoDB, NATS and S3`;

program
  .command("dev-ca")
  .description("Make certificates for development: an authority, and one for each service")
  .argument("[folder]", "where to write them", "dev-ca")
  .option("--names <a,b,c>", "further clients that get one, by DNS name")
  .option("--days <n>", "how long they hold", "365")
  .option("--force", "replace what is there, the authority too")
  .addHelpText("after", () => `\n${devCaHelp}`)
  .action(async (folder: string, command: DevCaCommand) =>
    finish(async () => {
      const { devCa } = await import("./dev-ca.ts");
      return devCa(folder, command);
    }),
  );

const devCaHelp = `Exit codes: 0 written, 1 something is there already, 2 wrong usage.

Not for production: the authority's key lies beside the certificates. Replacing the files of a running registry makes it use
the new ones without a restart.

Examples:
  agenticraft-registry dev-ca
  agenticraft-registry dev-ca /etc/registry/tls --names ci,reporting.example.com --days 90`;

const rulesFrom = "settings file of the registry whose limits and policy (LIMIT_*, POLICY_*) apply";

program
  .command("validate")
  .description("Say what a registry would make of a package, without one: the same checks, nothing is sent")
  .argument("<path>", "a zip or tar.gz, or a folder, which is packed first as `pack` does")
  .option("--json", "one JSON object on standard output")
  .option("--name <name>", "name to publish under, where the package carries none")
  .option("--release-version <version>", "version to publish as, where the package carries none")
  .option("--env <file>", rulesFrom, ".env")
  .addHelpText("after", () => `\n${validateHelp}`)
  .action(async (path: string, command: ValidateCommand) => finish(() => validate(path, command), usageError));

const validateHelp = `Exit codes: 0 accepted, 1 refused, 3 held for review, 2 wrong usage or settings, or the path cannot be read.

Not judged, since only the registry knows: whether the name is free and not too close to another, your right to publish
it, and whether the version exists. How long checks may take is not judged either.

Examples:
  agenticraft-registry validate weather-1.2.0.zip
  agenticraft-registry validate ./weather                    the folder, as it would be packed
  agenticraft-registry validate ./skill --release-version 1.0.0
  agenticraft-registry validate --json weather.zip | jq .verdict
  POLICY_MEDIUM=hold agenticraft-registry validate ./weather`;

program
  .command("pack")
  .description("Pack a folder for publishing: the same contents give the same bytes on every machine")
  .argument("<folder>", "folder with the manifest at its root")
  .option("-o, --output <file>", "where to write it (default: {name}-{version}.zip in the current folder)")
  .addOption(new Option("--format <format>", "zip unless the output's name says otherwise").choices(["zip", "tar.gz"]))
  .option("--force", "overwrite a file with other content; write a package that a registry refuses")
  .option("--json", "one JSON object on standard output")
  .option("--env <file>", rulesFrom, ".env")
  .addHelpText("after", () => `\n${packHelp}`)
  .action(async (folder: string, command: PackCommand) => finish(() => pack(folder, command)));

const builtInLines = builtInPatterns
  .join(" ")
  .replace(/(.{1,110})(?: |$)/g, "  $1\n")
  .trimEnd();

const packHelp = `Exit codes: 0 written, or there already with the same bytes; 1 refused by the registry's checks, or another file is in
the way; 2 wrong usage or settings, or something cannot be read.

Left out:
${builtInLines}
what the folder's .registryignore lists as a .gitignore does (!pattern takes back), and earlier outputs at its root
({name}-{version}.zip, .tar.gz, .tgz). Links are not followed.

Examples:
  agenticraft-registry pack ./weather                        writes weather-1.2.0.zip
  agenticraft-registry pack . -o dist/weather.tar.gz
  agenticraft-registry pack ./weather --format tar.gz --force`;

const operatorEnv = "settings file that the registry is served with";

program
  .command("admin")
  .description("What only the registry's operator may do, on a running registry")
  .command("reset-totp")
  .description("Take the second factor from a user who has lost it; written down in the audit log")
  .argument("<username>", "name of the user")
  .option("--json", "one JSON object on standard output")
  .option("--env <file>", operatorEnv, ".env")
  .addHelpText("after", () => `\n${resetTotpHelp}`)
  .action(async (username: string, command: ResetTotpCommand) =>
    finish(async () => {
      const { resetTotp } = await import("./operator/reset-totp.ts");
      return await resetTotp(username, command);
    }),
  );

const resetTotpHelp = `Connects over gRPC as the registry's own processes do: where AUTH_ADDR says, else GRPC_HOST and GRPC_PORT, with
SECRET_KEY or the key in DATA_DIR.

Exit codes: 0 done; 1 no such user, no second factor, or no registry there; 2 wrong usage or settings.

Examples:
  agenticraft-registry admin reset-totp alice
  agenticraft-registry admin reset-totp alice --env /etc/registry.env --json
  AUTH_ADDR=dns:///auth:9090 SECRET_KEY_FILE=/run/secrets/key agenticraft-registry admin reset-totp alice`;

addAuditCommands(program, finish);

/** @param failure exit code of whatever is not the user's fault */
async function finish(run: () => Promise<number>, failure = 1): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    const known = isRegistryError(error);
    tell(error);
    process.exitCode = known && error.kind === "invalid_argument" ? usageError : failure;
  }
}

/** Errors of drivers may hold the URL, with its password, that they were given. */
function tell(error: unknown): void {
  const plain = isRegistryError(error) || (error instanceof Error && "syscall" in error);
  process.stderr.write(`${scrub(plain ? error.message : ((error as Error).stack ?? String(error)))}\n`);
}

process.on("uncaughtException", (error) => {
  tell(error);
  process.exit(1);
});

await program.parseAsync();
