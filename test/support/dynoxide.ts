/** A DynamoDB of its own for one test file: the dynoxide emulator in memory on a free loopback port, gone afterwards. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

export interface Dynoxide extends AsyncDisposable {
  /** For example `http://127.0.0.1:40123`. */
  readonly endpoint: string;
}

/** It checks no signatures; the client wants something to sign with. */
export const anyCredentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Why it cannot run here; undefined when it can. */
export function whyNoDynoxide(): string | undefined {
  const here = `${process.platform}-${process.arch}`;
  return here === 'linux-x64' ? undefined : `dynoxide is packaged for linux-x64 only, this is ${here}`;
}

export async function startDynoxide(): Promise<Dynoxide> {
  const binary = createRequire(import.meta.url).resolve('@dynoxide/linux-x64/dynoxide');
  const server = spawn(binary, ['serve', '--port', '0'], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  return {
    endpoint: `http://127.0.0.1:${await listeningPort(server)}`,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      await ended;
    },
  };
}

/** It prints the port that it was told, 0, so the kernel is asked which one it got. */
async function listeningPort(server: ChildProcess): Promise<number> {
  while (server.exitCode === null) {
    const port = portOf(server.pid ?? 0);
    if (port !== undefined) return port;
    await delay(2);
  }
  throw new Error(`dynoxide ended with exit code ${server.exitCode} before it listened`);
}

const listening = '0A';

function portOf(pid: number): number | undefined {
  const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => inodeOf(`/proc/${pid}/fd/${fd}`));
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === listening && sockets.includes(inode)) return Number.parseInt(local.split(':')[1] ?? '', 16);
  }
  return undefined;
}

function inodeOf(link: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1];
  } catch {
    return undefined; // Closed meanwhile.
  }
}
