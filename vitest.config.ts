import { defineConfig } from 'vitest/config';

/** Real containers, networks and processes of the machine: these files share it, so they run one after the other. */
const hostTests = 'test/**/*.host.test.ts';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [hostTests],
          pool: 'forks',
          maxWorkers: 2,
          // Half of their time would go into loading the same modules again: what a test changes of its process it puts back.
          isolate: false,
          // Beside what waits for containers a test takes its time: a limit is against what hangs.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'host',
          include: [hostTests],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
