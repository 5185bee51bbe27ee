import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../../bin', import.meta.url));

/** A package of `gantry` whose program is the given code, or a clone of it, with or without its Node 24. */
function installation(
  code: string,
  { withNode = true, clone }: { withNode?: boolean; clone?: string } = {},
): Disposable & { readonly launcher: string } {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-launcher-'));
  mkdirSync(join(dir, 'bin'));
  for (const name of ['gantry.mjs', 'hand-over.mjs']) cpSync(join(bin, name), join(dir, 'bin', name));
  if (clone !== undefined) writeFileSync(join(dir, 'bin/gantry.ts'), clone);
  mkdirSync(join(dir, 'dist/cli'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  writeFileSync(join(dir, 'dist/cli/gantry.js'), code);
  if (withNode) {
    const nodeDir = join(dir, 'node_modules', `node-linux-${process.arch}`, 'bin');
    mkdirSync(nodeDir, { recursive: true });
    symlinkSync(process.execPath, join(nodeDir, 'node'));
  }
  return {
    launcher: join(dir, 'bin/gantry.mjs'),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Node before 22.15 cannot replace its process; taking the function away makes this one such a Node. */
const kinds = [
  ['by replacing the process', []],
  ['as a child, where Node is old', ['--import', 'data:text/javascript,process.execve=undefined']],
] as const;

describe.each(kinds)('gantry.mjs starts the program %s', (_, nodeOptions) => {
  const args = (launcher: string, ...rest: string[]): string[] => [...nodeOptions, launcher, ...rest];

  it('with its arguments, standard input and exit code', () => {
    using installed = installation(`
      let input = '';
      for await (const chunk of process.stdin) input += chunk;
      console.log(JSON.stringify(process.argv.slice(2)), input);
      process.exitCode = 7;
    `);
    const { stdout, stderr, status } = spawnSync(process.execPath, args(installed.launcher, 'run', '--', '-x', 'a b'), {
      input: 'typed',
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toBe('["run","--","-x","a b"] typed\n');
    expect(status).toBe(7);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('and hands %s on', async (signal) => {
    using installed = installation(`
      process.on('${signal}', () => process.exit(9));
      setInterval(() => {}, 1000);
      console.log('ready');
    `);
    const launcher: ChildProcess = spawn(process.execPath, args(installed.launcher), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (launcher.stdout === null) throw new Error('The launcher has no output.');
    await once(launcher.stdout, 'data');
    launcher.kill(signal);
    expect(await once(launcher, 'exit')).toEqual([9, null]);
  });
});

describe('gantry.mjs', () => {
  it('starts the source in a clone, whatever was built there', () => {
    using installed = installation("console.log('built');", { clone: "console.log('source' satisfies string);" });
    expect(spawnSync(process.execPath, [installed.launcher], { encoding: 'utf8' }).stdout).toBe('source\n');
  });

  /** As old as the Node that no types can be stripped by. */
  const old = ['--import', "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.19.0'})"];

  it.each([
    ['a clone', { clone: '' }, /npm run quickstart.*npm install/s],
    ['a package', {}, /this is Node 20\.19\.0.*--include=optional/s],
  ])('says what to run when the npm packages of %s are not there', (_, kind, advice) => {
    using installed = installation('', { withNode: false, ...kind });
    const { stderr, status } = spawnSync(process.execPath, [...old, installed.launcher], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(advice);
  });

  it('starts a package by a Node that is new enough where none came with it', () => {
    using installed = installation("console.log('built');", { withNode: false });
    expect(spawnSync(process.execPath, [installed.launcher], { encoding: 'utf8' }).stdout).toBe('built\n');
  });
});
