/** What one run of a package's tests may use. */
export interface SandboxLimits {
  /** By the clock for the whole run, and of CPU time for each process. */
  readonly seconds: number;
  /** Of all processes together; for a moment each of them may have up to a GiB more. */
  readonly memoryBytes: number;
  /** Processes and threads. */
  readonly processes: number;
  /** What is written to `/tmp` and `/dev/shm`, and each file of it. */
  readonly diskBytes: number;
}

/** Every file takes memory of the kernel, an empty one too. */
export const mostFiles = 20_000;
