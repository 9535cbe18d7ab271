import { Progress } from "./package/progress.ts";
import { readPackageRules } from "./package/settings.ts";
import { verdictLines } from "./package/text.ts";
import { validatePackage } from "./package/validate-package.ts";
import type { Verdict } from "./package/verdict.ts";

export interface ValidateCommand {
  readonly json?: boolean;
  readonly name?: string;
  readonly releaseVersion?: string;
  /** Settings file. */
  readonly env: string;
}

const exitCodes: { readonly [verdict in Verdict["verdict"]]: number } = { accepted: 0, refused: 1, held: 3 };

const notJudged =
  "Not judged here, since only the registry knows: whether the name is free and not too close to another, your right to publish it, and whether the version exists.";

/** Which option says what neither the package nor the command line said. */
function hints({ format, name, version }: Verdict): string[] {
  if (format === null) return [];
  return [
    ...(name === null ? ["The package carries no name: say with --name what it will be published as."] : []),
    ...(version === null ? ["The package carries no version: say with --release-version what it will be."] : []),
  ];
}

/** Says what a registry would make of a package. @returns the exit code */
export async function validate(path: string, command: ValidateCommand): Promise<number> {
  const rules = readPackageRules(command.env);
  const progress = new Progress(process.stderr);
  let verdict: Verdict;
  try {
    verdict = await validatePackage(path, { ...rules, name: command.name, version: command.releaseVersion, progress });
  } finally {
    progress.end();
  }
  const lines =
    command.json === true ? [JSON.stringify(verdict)] : [...verdictLines(verdict), ...hints(verdict), notJudged];
  process.stdout.write(`${lines.join("\n")}\n`);
  return exitCodes[verdict.verdict];
}
