/** The files of the agent's release: those of the package; in a clone, where what was built may be old, they are built for this once. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

let made: Promise<string> | undefined;

/** A directory that is there until this process ends. */
export async function agentFiles(): Promise<string> {
  // Built, this file lies in dist/cli.
  const packaged = fileURLToPath(new URL('../agent', import.meta.url));
  if (existsSync(join(packaged, 'agent.mjs'))) return packaged;
  made ??= build();
  return made;
}

async function build(): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), 'gantry-release-'));
  process.on('exit', () => rmSync(outdir, { recursive: true, force: true }));
  // Not by its name alone: a package has neither the file nor what it builds with.
  const builder = new URL('build-agent.ts', import.meta.url).href;
  const { buildAgent }: typeof import('./build-agent.ts') = await import(builder);
  await buildAgent(fileURLToPath(new URL('..', import.meta.url)), outdir);
  return join(outdir, 'agent');
}
