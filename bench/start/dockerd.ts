/**
 * A Docker daemon for the bench alone: own data, socket, containerd and control group, in a network namespace of its own, so that its
 * bridge and its firewall rules meet nobody else's and go with the namespace. It starts no service and touches no other Docker.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { detectCgroups } from '../../agent/cgroups/cgroups.ts';
import { createHostNamespace, removeHostNamespace, removeMachineBridge } from '../../agent/network/host-namespace.ts';
import { netnsPath } from '../../agent/network/names.ts';
import { findExecutable, hostToolsPath } from '../../local/containerd.ts';
import { logTail } from '../../local/managed-process.ts';
import { unmountBelow } from '../../local/mounts.ts';
import { flags } from './program.ts';

export interface DockerdOptions {
  /** At most 9 characters: names its network namespace, bridge and control group. */
  readonly name: string;
  /** The first three octets of two networks: between the machine and the namespace, and Docker's own bridge. */
  readonly outerNetwork: string;
  readonly innerNetwork: string;
  readonly directory: string;
}

export interface Dockerd extends AsyncDisposable {
  /** The client that belongs to it. */
  readonly docker: string;
  /** `unix:///…` */
  readonly host: string;
  /** This machine's address as containers see it. */
  readonly machineAddress: string;
}

const startTimeoutMs = 60_000;

export async function startDockerd({ name, outerNetwork, innerNetwork, directory }: DockerdOptions): Promise<Dockerd> {
  const dockerd = requireDocker('dockerd', hostToolsPath());
  // Not whatever is called docker on PATH: the one that came with this daemon.
  const docker = requireDocker('docker', [dirname(dockerd), hostToolsPath()].join(delimiter));
  const namespace = { name: `${name}-docker`, bridge: `${name}d`, address: `${outerNetwork}.2` };
  const machineAddress = `${outerNetwork}.1`;
  await createHostNamespace({ ...namespace, gateway: `${machineAddress}/24` });
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, 'docker.sock');
  const logFile = join(directory, 'dockerd.log');
  const options = flags({
    host: `unix://${socket}`,
    'data-root': join(directory, 'data'),
    'exec-root': join(directory, 'exec'),
    pidfile: join(directory, 'dockerd.pid'),
    bip: `${innerNetwork}.1/24`,
    'cgroup-parent': `/${name}-docker`,
  });
  const daemon = spawn('nsenter', [`--net=${netnsPath(namespace.name)}`, dockerd, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: hostToolsPath() },
  });
  const log = createWriteStream(logFile);
  daemon.stdout.pipe(log, { end: false });
  daemon.stderr.pipe(log, { end: false });
  const ended = once(daemon, 'exit');
  const stop = async (): Promise<void> => {
    if (daemon.exitCode === null && daemon.signalCode === null) daemon.kill('SIGTERM');
    await ended;
    log.end();
    unmountBelow([directory]);
    await removeHostNamespace(namespace.name);
    await removeMachineBridge(namespace.bridge);
    await detectCgroups().removeGroup(`/${name}-docker`);
  };
  const deadline = Date.now() + startTimeoutMs;
  while (!existsSync(socket)) {
    if (daemon.exitCode === null && Date.now() < deadline) await delay(20);
    else {
      await stop();
      throw new Error(`dockerd did not start. The end of its log:\n${logTail(logFile)}`);
    }
  }
  return { docker, host: `unix://${socket}`, machineAddress, [Symbol.asyncDispose]: stop };
}

function requireDocker(program: string, path: string): string {
  const found = findExecutable(program, path);
  if (found === undefined) throw new Error(`${program} was not found. npm run bench -- start --docker installs it.`);
  return found;
}
