/**
 * Runs the set-up scripts as a process, on the machine that the test describes: facts that are not this machine's, an npm
 * repository with nothing to install, and programs of the test's own before those of the system on PATH.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const scriptsDir = fileURLToPath(new URL('../../scripts', import.meta.url));

/** Members of scripts/machine.mjs' Facts that differ from this machine's. */
export interface FactChanges {
  readonly platform?: string;
  readonly arch?: string;
  readonly osName?: string;
  readonly nodeVersion?: string;
  /** null: there is none. */
  readonly npm?: string | null;
  readonly isRoot?: boolean;
  readonly sudo?: 'free' | 'asks' | 'none';
  readonly packageManager?: 'apt' | 'dnf' | null;
  readonly searchPath?: readonly string[];
  readonly missingCapabilities?: readonly string[];
  readonly freeMib?: number;
}

export interface FakeMachine extends Disposable {
  readonly dir: string;
  /** Where binaries are extracted to; not there at first. */
  readonly prefix: string;
  /** The only directory, besides the prefix, where set-up finds what it needs. */
  readonly binaries: string;
  /** Puts a program where set-up finds it as a needed binary. */
  addBinary(name: string, script?: string): void;
  /** Puts a program first on PATH, in place of the system's. Each call of it is recorded. */
  addProgram(name: string, script: string): void;
  /** The recorded calls of programs, `apt-get update -qq`. */
  calls(): string[];
  setUp(profile: 'quickstart' | 'test', changes?: FactChanges, options?: { port?: number }): SpawnSyncReturns<string>;
}

export function fakeMachine(): FakeMachine {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-setup-'));
  const [prefix, binaries, programs] = [join(dir, 'prefix'), join(dir, 'binaries'), join(dir, 'programs')];
  const callsFile = join(dir, 'calls');
  for (const path of [binaries, programs]) mkdirSync(path);
  const repository = emptyRepository(dir);
  const add = (path: string, script: string): void => {
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  };
  return {
    dir,
    prefix,
    binaries,
    addBinary: (name, script = 'exit 0') => add(join(binaries, name), script),
    addProgram: (name, script) => add(join(programs, name), `echo "${name} $*" >> ${callsFile}\n${script}`),
    calls: () => (existsSync(callsFile) ? readFileSync(callsFile, 'utf8').trimEnd().split('\n') : []),
    setUp(profile, changes = {}, options = {}) {
      const facts = {
        prefix,
        repository,
        searchPath: [binaries, join(prefix, 'usr/bin')],
        freeMib: 100_000,
        ...changes,
      };
      const env = {
        PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin`,
        CALL: JSON.stringify({ profile, facts, options }),
      };
      return spawnSync(process.execPath, ['--input-type=module', '--eval', program], { env, encoding: 'utf8' });
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

const program = `
  import { machineFacts } from '${scriptsDir}/machine.mjs';
  import { main, setUp } from '${scriptsDir}/setup.mjs';
  const { profile, facts: { freeMib, ...changes }, options } = JSON.parse(process.env.CALL);
  const facts = { ...machineFacts(), ...changes, freeSpace: () => ({ device: 1, freeMib }) };
  for (const name of ['npm', 'packageManager']) facts[name] ??= undefined;
  await main(() => setUp(profile, { facts, ...options }));
`;

/** A clone whose npm packages, none, are all installed. */
function emptyRepository(dir: string): string {
  const repository = join(dir, 'clone');
  mkdirSync(join(repository, 'node_modules'), { recursive: true });
  writeFileSync(join(repository, 'package-lock.json'), JSON.stringify({ packages: { '': {} } }));
  writeFileSync(join(repository, 'node_modules/.package-lock.json'), JSON.stringify({ packages: {} }));
  return repository;
}
