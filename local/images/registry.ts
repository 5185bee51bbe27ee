/**
 * A registry on loopback: Debian's docker-registry with a configuration of Gantry's own (no debug server, no address but
 * loopback, and without a password unless one is asked for). It is a managed process: it may outlive whoever started it, and
 * a second start adopts it.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findExecutable } from '../containerd.ts';
import { logTail, type ManagedProcess, runningPid, startManaged, stopManaged } from '../managed-process.ts';

export interface RegistryOptions {
  /** Everything of this registry: storage, configuration, log, pid file. */
  readonly dir: string;
  /** On 127.0.0.1; a free one where absent. */
  readonly port?: number;
  /** Lines of `user:bcrypt-hash`: then every request needs basic authentication. */
  readonly htpasswd?: string;
}

export interface Registry extends AsyncDisposable {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  /** True when it was already running. */
  readonly adopted: boolean;
}

const startTimeoutMs = 10_000;

/** Starts or adopts the registry of this directory and answers when it serves. Disposing of it ends it; its images stay. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const { dir } = options;
  const adopted = runningPid(processOf(dir)) !== undefined;
  if (!adopted) spawnRegistry(options);
  const url = await servedUrl(dir);
  return { url, adopted, [Symbol.asyncDispose]: () => stopRegistry(dir) };
}

/** Ends the registry of this directory, if it runs. */
export async function stopRegistry(dir: string): Promise<void> {
  await stopManaged(processOf(dir));
}

function processOf(dir: string): ManagedProcess {
  return { pidFile: join(dir, 'registry.pid'), marker: configFile(dir) };
}

const configFile = (dir: string): string => join(dir, 'registry.yml');
const logFile = (dir: string): string => join(dir, 'registry.log');

function spawnRegistry({ dir, port = 0, htpasswd }: RegistryOptions): void {
  const command = findExecutable('docker-registry') ?? findExecutable('registry');
  if (command === undefined) {
    throw new Error('docker-registry was not found. Run the set-up of a clone of Gantry (npm run quickstart).');
  }
  mkdirSync(dirname(configFile(dir)), { recursive: true, mode: 0o700 });
  rmSync(logFile(dir), { force: true }); // The address is read from it, so it must be of this start.
  const passwordFile = join(dir, 'htpasswd');
  if (htpasswd !== undefined) writeFileSync(passwordFile, htpasswd, { mode: 0o600 });
  const config = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'storage') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
    ...(htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'gantry', path: passwordFile } } }),
  };
  writeFileSync(configFile(dir), JSON.stringify(config), { mode: 0o600 }); // JSON is YAML.
  startManaged({
    ...processOf(dir),
    command,
    args: ['serve', configFile(dir)],
    // A bare environment: any variable named REGISTRY_… would override the configuration.
    env: {},
    logFile: logFile(dir),
  });
}

/** Waits until the registry has named its address and answers there. */
async function servedUrl(dir: string): Promise<string> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(readLog(dir))?.[1];
    if (address !== undefined && (await answers(`http://${address}`))) return `http://${address}`;
    if (runningPid(processOf(dir)) === undefined) {
      throw new Error(`The registry ended while starting.\n${logTail(logFile(dir))}`);
    }
    if (Date.now() > deadline) {
      throw new Error(`The registry does not answer after ${startTimeoutMs} ms.\n${logTail(logFile(dir))}`);
    }
    await delay(10);
  }
}

function readLog(dir: string): string {
  try {
    return readFileSync(logFile(dir), 'utf8');
  } catch {
    return ''; // Not made yet.
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(`${url}/v2/`);
    return status === 200 || status === 401;
  } catch {
    return false; // Not listening yet.
  }
}
