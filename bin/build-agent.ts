/**
 * The agent with everything that it needs and nothing of zod that it does not, what few hosts need in chunks beside it: for hosts
 * (`dist/agent/`, beside what installs and starts it there; they bring Node and nothing of npm) and for the package's own hosts
 * (`dist/cli/agent-main.js`).
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { englishOnly, namedOnly, withoutJsonSchemas } from './build-trimmed-zod.ts';
import { requireBanner } from './require-banner.ts';

export async function buildAgent(repository: string, outdir: string): Promise<void> {
  const target = join(outdir, 'agent');
  await bundleAgent(repository, join(target, 'agent.mjs'));
  const installation = join(repository, 'agent', 'install');
  if (existsSync(installation)) cpSync(installation, target, { recursive: true });
}

export async function bundleAgent(repository: string, outfile: string): Promise<void> {
  const { dir, name, ext } = parse(outfile);
  const { metafile } = await build({
    absWorkingDir: repository,
    entryPoints: { [name]: 'agent/main.ts' },
    outdir: dir,
    outExtension: { '.js': ext },
    bundle: true,
    splitting: true,
    chunkNames: `${name}-[hash]`,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    banner: { js: requireBanner },
    // Not minified: it is read once in the life of a host, and its stack traces are read by whoever operates that host.
    sourcemap: false,
    logLevel: 'warning',
    plugins: [englishOnly, withoutJsonSchemas, onlyUsedOfZod],
  });
  // They are left in comments alone (esbuild writes others as escapes), and for one of them Node keeps the whole file at two bytes a character.
  for (const output of Object.keys(metafile.outputs)) {
    const path = join(repository, output);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/[^\p{ASCII}]/gu, '-'));
  }
}

const onlyUsedOfZod: Plugin = {
  name: 'only-used-of-zod',
  setup(plugin) {
    plugin.onLoad({ filter: /[\\/](core|agent)[\\/].*\.ts$/ }, async ({ path }) => ({
      contents: namedOnly(await readFile(path, 'utf8')),
      loader: 'ts',
    }));
  },
};
