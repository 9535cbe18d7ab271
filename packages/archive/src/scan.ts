import type { Finding } from "./inspection.ts";

/** Calls that run other code or programs: no proof of anything, but what a reviewer wants to be led to. */
const suspicious = ["os.system", "subprocess.run", "exec(", "eval(", "__import__"] as const;
const MOST_FINDINGS = 20;
const LONGEST_LINE = 64 * 1024;

/** Finds suspicious calls in Python source that arrives in chunks; holds at most one line. */
export class PythonScan {
  readonly #file: string;
  readonly #findings: Finding[] = [];
  #line = 1;
  #rest = "";

  constructor(file: string) {
    this.#file = file;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#look(line);
    if (this.#rest.length > LONGEST_LINE) this.#rest = this.#rest.slice(-LONGEST_LINE);
  }

  end(): readonly Finding[] {
    this.#look(this.#rest);
    return this.#findings;
  }

  #look(line: string): void {
    const found = this.#findings.length < MOST_FINDINGS ? suspicious.find((call) => line.includes(call)) : undefined;
    if (found !== undefined) {
      this.#findings.push({
        rule: "python-dangerous-call",
        severity: "warning",
        message: `Potentially dangerous code: ${found}`,
        file: this.#file,
        line: this.#line,
      });
    }
    this.#line++;
  }
}
