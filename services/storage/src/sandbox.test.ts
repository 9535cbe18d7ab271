import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isSandboxNeeded, pythonTest, run, sandboxed } from "./testing/sandbox.ts";

const needed = isSandboxNeeded(process.env.CI);

const secret = "planted-secret-of-the-service";

describe.runIf(needed)("in the sandbox", () => {
  sandboxed({}, (stack) => {
    it("no network is reachable, neither the machine's own nor its host's", async () => {
      const server = createServer();
      let calls = 0;
      server.on("connection", () => calls++);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const report = await run(
        stack(),
        pythonTest(
          `self.assertNotEqual(socket.socket().connect_ex(("127.0.0.1", ${port})), 0)`,
          "self.assertEqual([name for _, name in socket.if_nameindex()], ['lo'])",
          "for family in (socket.AF_VSOCK, socket.AF_PACKET, getattr(socket, 'AF_ALG', 38)):",
          "    with self.assertRaises(OSError): socket.socket(family, socket.SOCK_STREAM)",
        ),
      );
      expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_PASSED" });
      expect(calls).toBe(0);
      await new Promise((resolve) => server.close(resolve));
    });

    it("nothing can be written but below /tmp and /dev/shm, and nothing of it is left for the next run", async () => {
      const files = pythonTest(
        "for path in ('/x', '/package/x', '/package/tests/test_it.py', '/usr/x', '/etc/x', '/dev/x', '/proc/sys/kernel/hostname'):",
        "    with self.assertRaises(OSError, msg=path): open(path, 'a').write('x')",
        "for path in ('/tmp/left', '/dev/shm/left', os.path.expanduser('~/left')):",
        "    self.assertFalse(os.path.exists(path))",
        "    open(path, 'w').write('x')",
        "os.symlink('/package', '/tmp/link')",
        "with self.assertRaises(OSError): open('/tmp/link/y', 'w')",
        "with self.assertRaises(OSError): os.chmod('/package/tests/test_it.py', 0o777)",
      );
      for (const _ of [1, 2]) expect(await run(stack(), files)).toMatchObject({ result: "TESTS_RESULT_PASSED" });
    });

    it("nothing of the service is visible: environment, files, descriptors, processes", async () => {
      process.env.PLANTED_SECRET = secret;
      await writeFile(join(stack().folder, "planted"), secret);
      const report = await run(
        stack(),
        pythonTest(
          `folder = ${JSON.stringify(stack().folder)}`,
          "self.assertFalse(os.path.exists(folder))",
          "self.assertEqual(sorted(os.listdir('/tmp')), ['home'])",
          "print('NAMES', sorted(os.environ))",
          "pids = [name for name in os.listdir('/proc') if name.isdigit()]",
          "print('PIDS', len(pids))",
          "for pid in pids:",
          "    try: print('ENVIRONMENT', open(f'/proc/{pid}/environ').read())",
          "    except PermissionError: self.assertNotEqual(pid, str(os.getpid()))",
          "own = [(fd, os.path.realpath(f'/proc/self/fd/{fd}')) for fd in os.listdir('/proc/self/fd')]",
          "print('DESCRIPTORS', own)",
          "for fd, target in own:",
          "    self.assertTrue(fd in ('1', '2') or target in ('/dev/null', f'/proc/{os.getpid()}/fd/{fd}', dict(own)['1']), (fd, target))",
          "self.assertEqual(sorted(os.listdir('/etc')), sorted(set(os.listdir('/etc')) & {'alternatives', 'group', 'ld.so.cache', 'passwd'}))",
          "self.assertEqual({os.getuid(), os.getgid(), *os.getgroups()}, {65534})",
        ),
      );
      delete process.env.PLANTED_SECRET;
      expect(report.log).not.toContain(secret);
      expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_PASSED" });
      expect(Number(/PIDS (\d+)/.exec(report.log)?.[1])).toBeLessThanOrEqual(3);
    });

    it("no right can be won: no capability, no new namespace, no tracing, no anonymous file", async () => {
      const report = await run(
        stack(),
        pythonTest(
          "import ctypes, subprocess",
          "status = open('/proc/self/status').read()",
          "for line in ('CapPrm:\\t0000000000000000', 'CapEff:\\t0000000000000000', 'CapBnd:\\t0000000000000000', 'NoNewPrivs:\\t1', 'Seccomp:\\t2'):",
          "    self.assertIn(line, status)",
          "libc = ctypes.CDLL(None, use_errno=True)",
          "self.assertEqual(libc.unshare(0x10000000), -1)",
          "self.assertEqual(libc.ptrace(0, 0, 0, 0), -1)",
          "self.assertEqual(libc.shmget(0, 4096, 0o1600), -1)",
          "self.assertEqual(libc.mount(b'x', b'/tmp', b'tmpfs', 0, None), -1)",
          "with self.assertRaises(OSError): os.memfd_create('x')",
          "with self.assertRaises(OSError): os.setuid(0)",
          "for pid in (name for name in os.listdir('/proc') if name.isdigit()):",
          "    lines = open(f'/proc/{pid}/limits').read().splitlines()",
          "    [processes] = [line.split() for line in lines if line.startswith('Max processes')]",
          "    self.assertEqual(processes[2:4], ['64', '64'])",
          "os.kill(1, 9)",
          "import resource",
          "with self.assertRaises(ValueError): resource.setrlimit(resource.RLIMIT_NPROC, (4096, 4096))",
          "self.assertNotEqual(subprocess.run(['unshare', '-U', 'true'], stderr=subprocess.DEVNULL).returncode, 0)",
        ),
      );
      expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_PASSED" });
    });

    it("what prints without end is cut in the middle and made plain text", async () => {
      const report = await run(
        stack(),
        pythonTest(
          "sys.stdout.write('first\\n')",
          "sys.stdout.buffer.write(b'\\x1b[31m\\x00\\xff\\xfe\\xe2\\x82 \\xe2\\x80\\xae\\n')",
          "for _ in range(64): sys.stdout.buffer.write(b'\\xff' * 1048576)",
          "print('last')",
        ),
      );
      expect(Buffer.byteLength(report.log)).toBeLessThanOrEqual(64 * 1024);
      expect(report.log.isWellFormed()).toBe(true);
      expect(report.log).toMatch(/first\n.*bytes were cut here.*last\n/s);
      for (const unwanted of ["\0", "\u001b", "\u202e"]) expect(report.log).not.toContain(unwanted);
      expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_PASSED" });
    });
  });
});
