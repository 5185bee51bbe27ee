import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Opt-in, by `npm run test:clients`. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/clients/*.clients.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['verbose'],
  },
});
