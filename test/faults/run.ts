import { campaignCommand } from "./campaign/command.ts";
import { checkCommand } from "./check.ts";

/** `npm run faults -- …`: a campaign of faults, or `check`, which judges a registry that runs. */
const [command, ...rest] = process.argv.slice(2);
const code = command === "check" ? await checkCommand(rest) : await campaignCommand(process.argv.slice(2));
// Whatever is still under way would only hold up the end.
process.stdout.write("", () => process.exit(code));
