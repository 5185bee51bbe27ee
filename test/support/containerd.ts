/**
 * A containerd of its own for one test file: own root, state and socket in a temporary directory, gone afterwards.
 * It never touches another containerd, and ends only the shims that were started through its own socket.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ContainerdPaths,
  containerdPaths,
  findExecutable,
  startContainerd as start,
  stopContainerd,
} from '../../local/containerd.ts';

export interface TestContainerd extends AsyncDisposable {
  readonly socket: string;
  readonly paths: ContainerdPaths;
  /** A directory for the test's own files (bundles, logs, runc root); removed with the rest. */
  readonly dir: string;
  /** Ends containerd as a crash or an upgrade does (containers run on) and starts it again on the same paths. */
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Ends containerd; `resume` starts it again. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  resume(): Promise<void>;
}

/**
 * Starts a containerd for one test or one test file; disposing of it removes everything that it left. With `diskMib` its root is on a
 * disk of its own of that size, in memory.
 */
export async function startContainerd({ diskMib }: { readonly diskMib?: number } = {}): Promise<TestContainerd> {
  // Not os.tmpdir(): overlayfs cannot stand on every tmpfs, and images need room.
  const dir = mkdtempSync('/var/tmp/gantry-test-');
  const paths = containerdPaths(join(dir, 'data'), join(dir, 'run'));
  if (diskMib !== undefined) {
    mkdirSync(paths.root, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMib}m`, 'gantry-test', paths.root]);
  }
  let pid: number;
  try {
    ({ pid } = await start(paths));
  } catch (error) {
    unmountBelow(dir);
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    if (signal === 'SIGKILL') await killAndWait(pid);
    await stopContainerd(paths);
  };
  const resume = async (): Promise<void> => {
    ({ pid } = await start(paths));
  };
  return {
    socket: paths.socket,
    paths,
    dir,
    stop,
    resume,
    async restart(signal) {
      await stop(signal);
      await resume();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      for (const shim of shimsOf(paths.socket)) {
        const containers = childrenOf(shim); // They outlive their shim, so they are ended too.
        for (const pid of [shim, ...containers]) await killAndWait(pid);
      }
      unmountBelow(dir);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * A shim that this containerd knows nothing of, as it leaves one whose starter it kills: started for this container of this namespace.
 * Answers its pid.
 */
export function startLostShim({ socket, dir }: TestContainerd, namespace: string, id: string): number {
  const bundle = mkdtempSync(join(dir, 'bundle-'));
  writeFileSync(join(bundle, 'config.json'), '{}');
  execFileSync('mkfifo', [join(bundle, 'log')]); // It ends where there is none.
  const before = shimsOf(socket, namespace);
  const shim = findExecutable('containerd-shim-runc-v2') ?? 'containerd-shim-runc-v2';
  const flags = ['-namespace', namespace, '-id', id, '-address', socket, '-publish-binary', 'containerd'];
  const env = { ...process.env, TTRPC_ADDRESS: `${socket}.ttrpc` };
  const isOld = /Version:\s+v?1\./.test(execFileSync(shim, ['-v'], { encoding: 'utf8' }));
  // A newer one reads from its input who it is: BootstrapParams with 1 id, 2 namespace, 5 and 6 addresses.
  const input = isOld ? '' : protoStrings({ 1: id, 2: namespace, 5: `${socket}.ttrpc`, 6: socket });
  execFileSync(shim, [...flags, 'start'], { cwd: bundle, env, input, stdio: 'pipe' });
  const [pid] = shimsOf(socket, namespace).filter((one) => !before.includes(one));
  if (pid === undefined) throw new Error(`${shim} started, and no shim is there`);
  return pid;
}

/** A protobuf message of strings, each shorter than 128 bytes, by field number. */
const protoStrings = (fields: Readonly<Record<number, string>>): Buffer =>
  Buffer.concat(
    Object.entries(fields).map(([number, text]) =>
      Buffer.concat([Buffer.of((Number(number) << 3) | 2, Buffer.byteLength(text)), Buffer.from(text)]),
    ),
  );

/** Pids of the shims that were started through this socket, all or those of one containerd namespace. */
export function shimsOf(socket: string, namespace?: string): number[] {
  return pids().filter((pid) => {
    const argv = argvOf(pid);
    const isOurs = (argv[0] ?? '').includes('containerd-shim') && argv.includes(socket);
    return isOurs && (namespace === undefined || argv.includes(namespace));
  });
}

async function killAndWait(pid: number): Promise<void> {
  const argv = argvOf(pid).join(' ');
  if (argv === '') return;
  process.kill(pid, 'SIGKILL');
  while (argvOf(pid).join(' ') === argv) await delay(5);
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function childrenOf(parent: number): number[] {
  return pids().filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8'); // pid (name) state ppid …; the name may hold spaces.
      return stat.slice(stat.lastIndexOf(')')).split(' ')[2] === String(parent);
    } catch {
      return false; // It ended.
    }
  });
}

function argvOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // It ended.
  }
}

function unmountBelow(dir: string): void {
  const mountPoints = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((mountPoint) => mountPoint.startsWith(`${dir}/`))
    .toReversed(); // Inner mounts come later in the table.
  for (const mountPoint of mountPoints) execFileSync('umount', ['--lazy', mountPoint]);
}
