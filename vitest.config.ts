import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Conditions are waited for, however busy the machine.
    expect: { poll: { timeout: 15_000 } },
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "services/*/src/**/*.test.ts"],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // One file at a time: a stack of ten processes with its servers has two cores busy by itself.
        extends: true,
        test: {
          name: "integration",
          include: ["test/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
