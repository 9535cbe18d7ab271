import type { SandboxLimits } from "./limits.ts";

/** User and group of the tests inside; outside too, where the service runs as root. */
export const sandboxUser = 65_534;

/** Where the service finds its own tools, and the sandbox its interpreters. */
export const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Descriptors that bubblewrap gets behind the standard ones. */
export const filterDescriptor = 3;
export const statusDescriptor = 4;

/** What lies in the folder of one run. */
export const layout = { package: "package", filter: "filter", passwd: "passwd", group: "group" } as const;

const shownAt = "/sys";

export interface SandboxCommand {
  /** Of one run, absolute; prepared as `layout` says. */
  readonly folder: string;
  readonly isRoot: boolean;
  readonly rootFileSystem: readonly string[];
  readonly limits: SandboxLimits;
  readonly command: readonly string[];
}

/** The program and its arguments that run a command in the sandbox. */
export function sandboxArguments(wanted: SandboxCommand): readonly [program: string, ...args: string[]] {
  if (!wanted.isRoot) return ["bwrap", ...bubblewrap(wanted, wanted.folder)];
  // Root inside a namespace would still be root to the files and counters outside. The folder may lie where only root
  // gets to, so it is shown to the other user in a mount namespace of its own, over a folder that is always there and
  // that bubblewrap has no need of.
  const show = `mount --bind "$0" ${shownAt} && exec "$@"`;
  const user = [`--reuid=${sandboxUser}`, `--regid=${sandboxUser}`, "--clear-groups"];
  const rights = ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"];
  return [
    ...(["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", show, wanted.folder] as const),
    ...["setpriv", ...user, ...rights, "--", "bwrap", ...bubblewrap(wanted, shownAt)],
  ];
}

function bubblewrap({ rootFileSystem, limits, command }: SandboxCommand, folder: string): readonly string[] {
  const sharedMemoryBytes = Math.floor(limits.diskBytes / 4);
  return [
    ...["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"],
    ...["--uid", `${sandboxUser}`, "--gid", `${sandboxUser}`, "--disable-userns", "--cap-drop", "ALL"],
    ...["--die-with-parent", "--as-pid-1", "--new-session", "--hostname", "sandbox"],
    ...["--seccomp", `${filterDescriptor}`, "--json-status-fd", `${statusDescriptor}`],
    ...environment(limits),
    ...["--perms", "0755", "--dir", "/etc", ...rootFileSystem],
    ...[
      "--ro-bind",
      `${folder}/${layout.passwd}`,
      "/etc/passwd",
      "--ro-bind",
      `${folder}/${layout.group}`,
      "/etc/group",
    ],
    ...["--ro-bind", `${folder}/${layout.package}`, "/package", "--proc", "/proc", "--dev", "/dev"],
    ...["--size", `${sharedMemoryBytes}`, "--tmpfs", "/dev/shm"],
    ...["--size", `${limits.diskBytes - sharedMemoryBytes}`, "--tmpfs", "/tmp", "--dir", "/tmp/home"],
    // Both are file systems in memory without a limit.
    ...["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/package", "--"],
    ...["prlimit", ...processLimits(limits), "--", "sh", "-c", firstProcess, "sh", ...command],
  ];
}

/**
 * Waits for the command and for orphans. A process of bubblewrap's in this place would have none of the limits, and what
 * runs beside it may write into its memory.
 */
const firstProcess = 'exec 2>&1; "$@"; exit $?';

function environment(limits: SandboxLimits): readonly string[] {
  const heapMiB = Math.max(32, Math.floor(limits.memoryBytes / 2 / 1024 ** 2));
  const variables = {
    PATH: searchPath,
    HOME: "/tmp/home",
    TMPDIR: "/tmp",
    LANG: "C.UTF-8",
    TZ: "UTC",
    NO_COLOR: "1",
    PYTHONPATH: "/package:/package/src",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONUNBUFFERED: "1",
    // Else it takes the machine's memory for its own.
    NODE_OPTIONS: `--max-old-space-size=${heapMiB}`,
  };
  return ["--clearenv", ...Object.entries(variables).flatMap(([name, value]) => ["--setenv", name, value])];
}

/**
 * Node sets aside half a GiB and more that it does not use. What is used is limited for all processes together, by
 * looking; this is for what is faster than that.
 */
const reservedBytes = 1024 ** 3;

/** Set inside, so that processes are counted in the sandbox alone; nobody in there may raise them. */
function processLimits(limits: SandboxLimits): readonly string[] {
  return [
    `--nproc=${limits.processes}`,
    `--data=${limits.memoryBytes + reservedBytes}`,
    `--cpu=${limits.seconds}:${limits.seconds + 1}`,
    `--fsize=${limits.diskBytes}`,
    "--nofile=256",
    "--stack=8388608",
    "--core=0",
    "--memlock=65536",
    "--msgqueue=0",
    "--sigpending=256",
  ];
}
