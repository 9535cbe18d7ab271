import { Argument, type Command, InvalidArgumentError } from "commander";
import type { Finish } from "./audit/commands.ts";
import type { RebuildCommand } from "./rebuild.ts";

export function addRebuildCommand(program: Command, finish: Finish): void {
  program
    .command("rebuild")
    .description("Make what follows from the truth anew, on a running registry, while it goes on answering")
    .addArgument(new Argument("<projection>", "what to make anew").choices(["search", "analytics"]))
    .option("--json", "one JSON object on standard output")
    .option("--timeout <seconds>", "how long to wait for it; it goes on afterwards", seconds, 600)
    .option("--env <file>", "settings file that the registry is served with", ".env")
    .addHelpText("after", `\n${help}`)
    .action(async (projection: "search" | "analytics", command: RebuildCommand) =>
      finish(async () => {
        const { rebuild } = await import("./rebuild.ts");
        return await rebuild(projection, command);
      }),
    );
}

const help = `search      every replica of the catalog builds its search from the store, and answers from it once it is whole
analytics   what is known of plugins and releases is set right by the catalog, counts by the single events that are
            still there and by the closed hours that have outlived theirs

Says how many documents were not what they should be. Nothing is away meanwhile, and nothing that happens meanwhile is lost.

Connects over gRPC as the registry's own processes do: where CATALOG_ADDR or ANALYTICS_ADDR says, else GRPC_HOST and
GRPC_PORT, with SECRET_KEY or the key in DATA_DIR.

Exit codes: 0 done; 1 failed, not done in time, or no registry there; 2 wrong usage or settings.

Examples:
  agenticraft-registry rebuild search
  agenticraft-registry rebuild analytics --json | jq .mended_by
  CATALOG_ADDR=dns:///catalog:9090 SECRET_KEY_FILE=/run/secrets/key agenticraft-registry rebuild search --timeout 60`;

function seconds(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number of seconds from 1");
}
