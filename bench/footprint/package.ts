/** Gantry as its package has it: built, with the npm packages of this clone beside it. A clone reads TypeScript, which takes memory. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCli } from '../../bin/build-cli.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Its launcher; disposing removes it. */
export async function buildPackage(): Promise<Disposable & { readonly launcher: string }> {
  const directory = mkdtempSync('/var/tmp/gantry-bench-');
  for (const path of ['package.json', 'bin/gantry.mjs', 'bin/hand-over.mjs', 'examples/hello.json'])
    cpSync(join(repository, path), join(directory, path), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'));
  await buildCli(repository, join(directory, 'dist', 'cli'));
  return {
    launcher: join(directory, 'bin', 'gantry.mjs'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
