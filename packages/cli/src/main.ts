import { isRegistryError } from "@registry/domain";
import { type ServiceName, serviceNames } from "@registry/kit";
import { Argument, Command } from "commander";
import { init } from "./init.ts";
import { type ServeOptions, serve } from "./serve.ts";
import { settingsHelp } from "./settings-help.ts";

/** Exit codes: 0 done, 1 failed, 2 wrong usage or settings. */
const usageError = 2;

const program = new Command("agenticraft-registry")
  .description("A self-hosted registry for the plugins, tools, skills, personas and MCP servers of AI agents")
  .version("0.1.0")
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
  .action(async (services: ServiceName[], options: ServeOptions) => finish(() => serve(services, options)));

const serveExamples = `Examples:
  agenticraft-registry serve                                 everything on http://127.0.0.1:8080
  agenticraft-registry serve --host 0.0.0.0 --port 8080      reachable from other machines
  agenticraft-registry serve catalog                         one service; needs MongoDB, NATS and S3`;

async function finish(run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    const known = isRegistryError(error);
    process.stderr.write(`${known ? error.message : ((error as Error).stack ?? String(error))}\n`);
    process.exitCode = known && error.kind === "invalid_argument" ? usageError : 1;
  }
}

await program.parseAsync();
