import { createHash } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A command that a build runs, in `cwd` (default: the build's own folder). */
export interface Step {
  command: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
}

/** One way to get one server program. */
export interface Recipe {
  /** Folder in the cache: the name, the version, and whatever else changes the result. */
  folder: string;
  /** The program's path inside that folder. */
  program: string;
  /** The tool that has to be on the PATH. */
  tool: string;
  /** How long it usually takes on two cores. */
  usual: string;
  /** What to run to build it into the empty folder `into`. */
  steps(into: string): Step[];
  /** What is left to do once the steps have ended well. */
  finish?(into: string): void;
}

/** A server that tests need. */
export interface Server {
  /** Names of programs that serve, the preferred one first. */
  programs: string[];
  /** Setting with the path of a program to use instead. */
  setting: string;
  /** Tried in this order until one works. */
  recipes: Recipe[];
  /** Whether a program of that name on the PATH is the thing meant here. */
  fromPath: boolean;
}

export type ServerName = "nats" | "minio" | "mongo" | "ferret" | "grpcurl" | "promtool";

const ferretSource = join(import.meta.dirname, "ferretdb");

function goInstall(name: string, version: string, target: string, usual: string): Recipe {
  return {
    folder: `${name}-${version.replace(/^v/, "")}`,
    program: `bin/${name}`,
    tool: "go",
    usual,
    steps: (into) => [{ command: "go", args: ["install", `${target}@${version}`], env: { GOBIN: join(into, "bin") } }],
  };
}

function secantusFromCargo(version: string): Recipe {
  return {
    folder: `secantusd-rs-${version}`,
    program: "bin/secantusd-rs",
    tool: "cargo",
    usual: "6 minutes",
    steps: (into) => [
      {
        command: "cargo",
        args: ["install", "secantus-mdb", "--version", version, "--ignore-rust-version", "--root", into],
        env: { CARGO_TARGET_DIR: join(into, "target") },
      },
    ],
    finish: (into) => rmSync(join(into, "target"), { recursive: true, force: true }),
  };
}

/** A folder of packages and a launcher of our own: unlike a virtual environment, it may be renamed after the build. */
function secantusFromPip(version: string): Recipe {
  return {
    folder: `secantusd-py-${version}`,
    program: "bin/secantusd-py",
    tool: "python3",
    usual: "20 seconds",
    steps: (into) => [
      {
        command: "python3",
        args: ["-m", "pip", "install", "--quiet", "--target", join(into, "lib"), `secantusdb==${version}`],
      },
    ],
    finish: (into) => {
      const launcher = [
        "#!/bin/sh",
        'here=$(cd "$(dirname "$0")/.." && pwd)',
        'PYTHONPATH="$here/lib" exec python3 -c "import sys; from secantus.cli import main; sys.exit(main())" "$@"',
        "",
      ];
      mkdirSync(join(into, "bin"), { recursive: true });
      writeFileSync(join(into, "bin", "secantusd-py"), launcher.join("\n"));
      chmodSync(join(into, "bin", "secantusd-py"), 0o755);
    },
  };
}

function ferretFromSource(version: string): Recipe {
  const digest = createHash("sha256");
  for (const file of ["go.mod", "go.sum", "main.go"]) digest.update(readFileSync(join(ferretSource, file)));
  return {
    folder: `ferretdb-${version}-${digest.digest("hex").slice(0, 8)}`,
    program: "bin/ferretdb",
    tool: "go",
    usual: "1 minute",
    steps: (into) => {
      cpSync(ferretSource, join(into, "src"), { recursive: true });
      return [{ command: "go", args: ["build", "-o", join(into, "bin", "ferretdb"), "."], cwd: join(into, "src") }];
    },
  };
}

/** Debian's package, unpacked and not installed. Its lists are read anew beside it: those of the system may be old or none. */
function promtoolFromDebian(): Recipe {
  return {
    folder: "promtool-debian",
    program: "bin/promtool",
    tool: "apt-get",
    usual: "10 seconds",
    steps: (into) => {
      for (const folder of ["lists/partial", "cache/archives/partial", "bin"]) {
        mkdirSync(join(into, folder), { recursive: true });
      }
      const own = ["-q", "-o", `Dir::State::lists=${join(into, "lists")}`, "-o", `Dir::Cache=${join(into, "cache")}`];
      return [
        { command: "apt-get", args: [...own, "update"] },
        { command: "apt-get", args: [...own, "download", "prometheus"] },
        { command: "sh", args: ["-c", "dpkg-deb -x prometheus_*.deb unpacked && rm prometheus_*.deb"] },
      ];
    },
    finish: (into) => {
      renameSync(join(into, "unpacked", "usr", "bin", "promtool"), join(into, "bin", "promtool"));
      for (const left of ["lists", "cache", "unpacked"]) rmSync(join(into, left), { recursive: true, force: true });
    },
  };
}

/** By way of a module of its own: Go refuses to install a command whose module excludes others. */
function promtoolFromSource(version: string): Recipe {
  const command = "github.com/prometheus/prometheus/cmd/promtool";
  return {
    folder: `promtool-${version.replace(/^v/, "")}`,
    program: "bin/promtool",
    tool: "go",
    usual: "4 minutes",
    steps: (into) => {
      const cwd = join(into, "src");
      mkdirSync(cwd);
      return [
        { command: "go", args: ["mod", "init", "promtool"], cwd },
        { command: "go", args: ["get", `${command}@${version}`], cwd },
        { command: "go", args: ["build", "-o", join(into, "bin", "promtool"), command], cwd },
      ];
    },
    finish: (into) => rmSync(join(into, "src"), { recursive: true, force: true }),
  };
}

/** Every server and tool that tests start, and how to get it from an ordinary package registry. */
export const servers: Record<ServerName, Server> = {
  nats: {
    programs: ["nats-server"],
    setting: "TEST_NATS_SERVER",
    fromPath: true,
    recipes: [goInstall("nats-server", "v2.15.2", "github.com/nats-io/nats-server/v2", "1 minute")],
  },
  minio: {
    programs: ["minio"],
    setting: "TEST_MINIO_SERVER",
    fromPath: true,
    recipes: [goInstall("minio", "v0.0.0-20260212201848-7aac2a2c5b7c", "github.com/minio/minio", "4 minutes")],
  },
  mongo: {
    programs: ["mongod", "secantusd-rs", "secantusd-py"],
    setting: "TEST_MONGODB_SERVER",
    fromPath: true,
    recipes: [secantusFromCargo("0.5.3-beta.193"), secantusFromPip("0.7.0b3")],
  },
  ferret: {
    programs: ["ferretdb"],
    setting: "TEST_FERRETDB_SERVER",
    fromPath: false,
    recipes: [ferretFromSource("1.24.2")],
  },
  grpcurl: {
    programs: ["grpcurl"],
    setting: "TEST_GRPCURL",
    fromPath: true,
    recipes: [goInstall("grpcurl", "v1.9.3", "github.com/fullstorydev/grpcurl/cmd/grpcurl", "1 minute")],
  },
  promtool: {
    programs: ["promtool"],
    setting: "TEST_PROMTOOL",
    fromPath: true,
    recipes: [promtoolFromDebian(), promtoolFromSource("v0.308.1")],
  },
};
