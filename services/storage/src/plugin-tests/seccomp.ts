/**
 * System calls that no test of a plugin needs and that would get around the sandbox's limits: memory that belongs to no
 * process or file system (anonymous files, System V IPC), and those with which kernels were most often broken.
 */
interface Architecture {
  /** AUDIT_ARCH_… */
  readonly audit: number;
  readonly socket: number;
  readonly denied: readonly number[];
}

const architectures: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    socket: 41,
    denied: [
      // shmget, semget, msgget, ptrace
      29, 64, 68, 101,
      // pivot_root, chroot, mount, umount2
      155, 161, 165, 166,
      // add_key, request_key, keyctl, unshare, perf_event_open, name_to_handle_at, open_by_handle_at, setns
      248, 249, 250, 272, 298, 303, 304, 308,
      // kcmp, memfd_create, bpf, userfaultfd
      312, 319, 321, 323,
      // io_uring_setup, io_uring_enter, io_uring_register
      425, 426, 427,
      // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr, memfd_secret
      428, 429, 430, 431, 432, 433, 442, 447,
    ],
  },
  arm64: {
    audit: 0xc00000b7,
    socket: 198,
    denied: [
      // umount2, mount, pivot_root, chroot, unshare
      39, 40, 41, 51, 97,
      // ptrace, msgget, semget, shmget
      117, 186, 190, 194,
      // add_key, request_key, keyctl, perf_event_open, name_to_handle_at, open_by_handle_at, setns
      217, 218, 219, 241, 264, 265, 268,
      // kcmp, memfd_create, bpf, userfaultfd
      272, 279, 280, 282,
      // io_uring_setup, io_uring_enter, io_uring_register
      425, 426, 427,
      // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr, memfd_secret
      428, 429, 430, 431, 432, 433, 442, 447,
    ],
  },
};

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: those that a network namespace holds. AF_VSOCK reaches the machine's host. */
const socketFamilies = [1, 2, 10, 16];

const load = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const answer = 0x06;
const allow = 0x7fff0000;
const kill = 0x80000000;
const refuse = 0x00050000 | 1;
/** Where a filter finds what was called: `struct seccomp_data`. */
const numberAt = 0;
const architectureAt = 4;
const firstArgumentAt = 16;
/** The second set of numbers that x86-64 answers to. */
const x32Numbers = 0x40000000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

export function isArchitectureKnown(architecture: string): boolean {
  return Object.hasOwn(architectures, architecture);
}

/**
 * A classic BPF program for `seccomp`, little-endian, as bubblewrap takes it. What it denies answers EPERM.
 * @param architecture as Node names it
 * @throws Error where it is none of those that `isArchitectureKnown`
 */
export function seccompFilter(architecture: string): Buffer {
  const known = architectures[architecture];
  if (known === undefined) throw new Error(`no table of system calls for ${architecture}`);
  const program: Instruction[] = [
    [load, 0, 0, architectureAt],
    [jumpIfEqual, 1, 0, known.audit],
    [answer, 0, 0, kill],
    [load, 0, 0, numberAt],
    [jumpIfAtLeast, 0, 1, x32Numbers],
    [answer, 0, 0, refuse],
    ...known.denied.flatMap((call): Instruction[] => [
      [jumpIfEqual, 0, 1, call],
      [answer, 0, 0, refuse],
    ]),
    [jumpIfEqual, 1, 0, known.socket],
    [answer, 0, 0, allow],
    [load, 0, 0, firstArgumentAt],
    ...socketFamilies.flatMap((family): Instruction[] => [
      [jumpIfEqual, 0, 1, family],
      [answer, 0, 0, allow],
    ]),
    [answer, 0, 0, refuse],
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, operand]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, index * 8 + 4);
  }
  return bytes;
}
