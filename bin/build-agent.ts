/** Builds `dist/agent/`: the agent as one file, and what installs and starts it on a host. Hosts bring Node and nothing of npm. */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { requireBanner } from './require-banner.ts';

export async function buildAgent(repository: string, outdir: string): Promise<void> {
  const target = join(outdir, 'agent');
  await build({
    absWorkingDir: repository,
    entryPoints: { agent: 'agent/main.ts' },
    outdir: target,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    banner: { js: requireBanner },
    // Not minified: it is read once in the life of a host, and its stack traces are read by whoever operates that host.
    sourcemap: false,
    logLevel: 'warning',
  });
  const installation = join(repository, 'agent', 'install');
  if (existsSync(installation)) cpSync(installation, target, { recursive: true });
}
