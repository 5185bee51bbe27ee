import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** By `npm run test:host`: one file, in the order in which a host lives; what follows a failure would only repeat it. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/guest/*.guest.ts'],
    globalSetup: 'test/guest/make-image.ts',
    fileParallelism: false,
    // A machine in software, on a busy machine: what takes seconds elsewhere takes minutes.
    testTimeout: 480_000,
    hookTimeout: 480_000,
    bail: 1,
    reporters: ['verbose'],
    disableConsoleIntercept: true,
  },
});
