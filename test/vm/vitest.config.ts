import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** By `npm run test:vm`: a virtual machine a file, two at a time; in a file each test begins where the one before ended. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/vm/*.vm.ts'],
    globalSetup: 'test/guest/make-image.ts',
    pool: 'forks',
    maxWorkers: 2,
    // A machine in software, on a busy machine: what takes seconds elsewhere takes minutes.
    testTimeout: 480_000,
    hookTimeout: 900_000,
    bail: 1,
    reporters: ['verbose'],
    disableConsoleIntercept: true,
  },
});
