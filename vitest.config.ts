import { defineConfig } from 'vitest/config';

/** Real containers, networks and processes of the machine: these files share it, so they run one after the other. */
const hostTests = 'test/**/*.host.test.ts';

const timeFactor = Number(process.env.GANTRY_TEST_TIME_FACTOR ?? 1);
/** A limit is against what hangs: how long something takes is for bench/ to say. */
const limitsMs = (ms: number) => ({ testTimeout: ms * timeFactor, hookTimeout: ms * timeFactor });
const timeFactorFile = 'test/support/time-factor.ts';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [hostTests],
          pool: 'forks',
          maxWorkers: 3, // On two cores: some files wait most of their time.
          // Half of their time would go into loading the same modules again: what a test changes of its process it puts back.
          isolate: false,
          ...limitsMs(120_000),
          setupFiles: [timeFactorFile, 'test/support/property-seed.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'host',
          include: [hostTests],
          pool: 'forks',
          fileParallelism: false,
          ...limitsMs(120_000),
          setupFiles: [timeFactorFile],
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
