import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Opt-in, by `npm run test:emulator`: one file, in the order in which a stack lives. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/emulator/*.emulator.ts'],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: ['verbose'],
  },
});
