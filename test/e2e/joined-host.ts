/** A machine that joins a cloud: this one, with names and directories of its own, in the foreground. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hostHere } from '../../local/join/here.ts';
import { type CommandResult, freeSerial, launcher, run } from '../support/cloud.ts';

const here = hostHere(() => Promise.reject(new Error('nothing is missing on this machine')));

interface Wanted {
  readonly url: string;
  readonly token?: string;
  readonly certificateAuthority?: string;
  readonly cluster?: string;
  readonly name?: string;
  readonly reservedMemoryMib?: number;
  readonly subnet?: string;
}

export interface JoinedHost extends AsyncDisposable {
  /** Prefix of what it has on this machine. */
  readonly name: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly subnet: string;
  /** What joining is refused with, asked without a process of its own. */
  refused(wanted: Wanted): Promise<unknown>;
  /** `gantry join …`, until it says that the machine is a host. */
  join(args: readonly string[]): Promise<{ readonly process: ChildProcess; readonly said: () => string }>;
  leave(args?: readonly string[]): Promise<CommandResult>;
  startLeaving(): ChildProcess;
}

export function joinedHost(): JoinedHost {
  const serial = freeSerial();
  const name = `gj${serial}`;
  const base = mkdtempSync('/var/tmp/gantry-test-');
  const [dataDir, runDir] = [join(base, 'data'), join(base, 'run')];
  const subnet = `10.${20 + serial}.0.0/24`;
  const places = ['--data', dataDir, '--run-dir', runDir, '--prefix', name];
  const joining = (args: readonly string[]) => [
    launcher,
    'join',
    ...args,
    '--foreground',
    ...places,
    '--subnet',
    subnet,
  ];
  const leave = (args: readonly string[] = []) => run(process.execPath, [launcher, 'leave', ...args, ...places]);
  return {
    name,
    dataDir,
    runDir,
    subnet,
    refused: ({ token, certificateAuthority, ...said }) =>
      here
        .join(
          {
            places: { dataDir, runDir, prefix: name },
            said: { subnet, ...said },
            token,
            certificateAuthority,
            foreground: true,
            install: false,
          },
          { say: () => {}, ready: () => {} },
          AbortSignal.abort(),
        )
        .then(
          () => undefined,
          (error: unknown) => error,
        ),
    async join(args) {
      const child = spawn(process.execPath, joining(args), { stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString('utf8');
          if (output.includes('is a host of the cluster')) resolve();
        });
      child.once('exit', (code) => reject(new Error(`gantry join ended with ${code}:\n${output}`)));
      await promise;
      return { process: child, said: () => output };
    },
    leave,
    startLeaving: () =>
      spawn(process.execPath, [launcher, 'leave', ...places], { stdio: ['ignore', 'ignore', 'pipe'] }),
    async [Symbol.asyncDispose]() {
      const places = { dataDir, runDir, prefix: name };
      await here.leave({ places, force: true, purge: true }, () => {}, new AbortController().signal);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Ends a process as a crash does. */
export async function killHard(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}
