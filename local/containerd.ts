/**
 * Gantry's own containerd: its config, its start, its end.
 *
 * It is a process of its own that outlives whoever started it: containers run on while the server and the agents are away.
 * This file never touches a containerd that belongs to the machine (other socket, root, state), and never signals a
 * process that it cannot prove to be the one it started.
 */
import { accessSync, constants, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { logTail, type ManagedProcess, runningPid, startManaged, stopManaged } from './managed-process.ts';

/** Where set-up extracts the binaries that the machine lacks; looked at after PATH, so that what is installed wins. */
const extractedBinariesDir = '/opt/gantry/usr/bin';

export interface ContainerdPaths {
  /** What must survive a reboot (content, snapshots, metadata). Needs a file system that overlayfs can stand on. */
  readonly root: string;
  /** What must not survive a reboot (bundles of running containers). */
  readonly state: string;
  /** The gRPC socket; at most 100 bytes long, because the kernel limits socket addresses and containerd appends `.ttrpc`. */
  readonly socket: string;
  readonly configFile: string;
  readonly pidFile: string;
  readonly logFile: string;
}

export interface ContainerdProcess {
  readonly pid: number;
  readonly socket: string;
  /** True when it was already running. */
  readonly adopted: boolean;
}

/** The layout used under a data directory (`/var/lib/gantry`) and a runtime directory (`/run/gantry`). */
export function containerdPaths(dataDir: string, runDir: string): ContainerdPaths {
  return {
    root: join(dataDir, 'containerd'),
    state: join(runDir, 'containerd'),
    socket: join(runDir, 'containerd.sock'),
    configFile: join(runDir, 'containerd.toml'),
    pidFile: join(runDir, 'containerd.pid'),
    logFile: join(dataDir, 'containerd.log'),
  };
}

/**
 * Plugins that Gantry does not use and that would cost work or touch shared paths: Kubernetes' interface, NRI
 * (a socket at a fixed place), `opt` (creates /opt/containerd), the restart monitor (polls; the agent decides restarts),
 * tracing, and snapshotters other than overlayfs. Names that a version does not know are ignored by it.
 * `io.containerd.runtime.v1.linux` must stay: without it 1.6 serves no tasks.
 */
const disabledPlugins = [
  'io.containerd.grpc.v1.cri',
  'io.containerd.cri.v1.images',
  'io.containerd.cri.v1.runtime',
  'io.containerd.nri.v1.nri',
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.restart',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
];

/** The text of a containerd config (version 2: read by 1.6, and converted by 2.x). */
export function containerdConfig(paths: Pick<ContainerdPaths, 'root' | 'state' | 'socket'>): string {
  const quoted = JSON.stringify; // A JSON string is a TOML basic string.
  return [
    'version = 2',
    `root = ${quoted(paths.root)}`,
    `state = ${quoted(paths.state)}`,
    'disabled_plugins = [',
    ...disabledPlugins.map((name) => `  ${quoted(name)},`),
    ']',
    '',
    '[grpc]',
    `  address = ${quoted(paths.socket)}`,
    '[ttrpc]',
    `  address = ${quoted(`${paths.socket}.ttrpc`)}`,
    '[debug]',
    '  level = "warn"',
    '',
  ].join('\n');
}

/** The PATH of a user, or of root after a plain `su`, often lacks them. */
const systemDirs = ['/usr/local/sbin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** PATH for whatever must find containerd, its shim and runc, `ip` and iptables (scripts/machine.mjs looks in the same order). */
export function hostToolsPath(environmentPath: string = process.env.PATH ?? ''): string {
  const dirs = environmentPath.split(delimiter).filter((dir) => dir !== '');
  return [...new Set([...dirs, extractedBinariesDir, ...systemDirs])].join(delimiter);
}

/** The absolute path of an executable on the given PATH, or undefined. */
export function findExecutable(name: string, path: string = hostToolsPath()): string | undefined {
  for (const dir of path.split(delimiter)) {
    const candidate = join(dir, name);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Not here: look in the next directory.
    }
  }
  return undefined;
}

/**
 * Starts containerd, or adopts the one that an earlier call started, and answers when its socket takes connections.
 * Throws an Error that says what to do when a binary is missing, and one with the end of the log when it does not come up.
 */
export async function startContainerd(
  paths: ContainerdPaths,
  { startTimeoutMs = 30_000 }: { readonly startTimeoutMs?: number } = {},
): Promise<ContainerdProcess> {
  const running = runningContainerd(paths);
  const pid = running ?? spawnContainerd(paths);
  const deadline = Date.now() + startTimeoutMs;
  while (!(await answersConnect(paths.socket))) {
    if (runningContainerd(paths) === undefined) throw failedStart('ended while starting', paths);
    if (Date.now() > deadline)
      throw failedStart(`does not answer at ${paths.socket} after ${startTimeoutMs} ms`, paths);
    await delay(10);
  }
  return { pid, socket: paths.socket, adopted: running !== undefined };
}

/** Ends the containerd that `startContainerd` started with these paths, if it runs. Containers run on. */
export function stopContainerd(paths: ContainerdPaths, stopTimeoutMs?: number): Promise<void> {
  return stopManaged(managed(paths), stopTimeoutMs);
}

/** The pid of the containerd that belongs to these paths, or undefined. */
export function runningContainerd(paths: Pick<ContainerdPaths, 'pidFile' | 'configFile'>): number | undefined {
  return runningPid(managed(paths));
}

function managed({ pidFile, configFile }: Pick<ContainerdPaths, 'pidFile' | 'configFile'>): ManagedProcess {
  return { pidFile, marker: configFile };
}

function spawnContainerd(paths: ContainerdPaths): number {
  const command = requireExecutable('containerd');
  requireExecutable('containerd-shim-runc-v2');
  requireExecutable('runc');
  for (const path of [paths.root, paths.state]) mkdirSync(path, { recursive: true, mode: 0o711 });
  for (const path of [paths.socket, paths.configFile]) mkdirSync(dirname(path), { recursive: true });
  writeFileSync(paths.configFile, containerdConfig(paths), { mode: 0o600 });
  return startManaged({
    ...managed(paths),
    command,
    args: ['--config', paths.configFile],
    // A bare environment: containerd hands its own on to every shim, and ours may hold keys.
    env: { PATH: hostToolsPath() },
    logFile: paths.logFile,
  });
}

function failedStart(what: string, { logFile }: ContainerdPaths): Error {
  return new Error(`containerd ${what}. The end of ${logFile}:\n${logTail(logFile)}`);
}

function requireExecutable(name: string): string {
  const found = findExecutable(name);
  if (found !== undefined) return found;
  throw new Error(
    `${name} was found neither on PATH nor in ${extractedBinariesDir}. Install it, or run the set-up of a clone of Gantry (npm run quickstart).`,
  );
}

function answersConnect(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
