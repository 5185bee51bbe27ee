/** Whether this machine can be a cloud, asked before anything is changed. Every refusal says what, why and what to do. */
import { mkdirSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { platform } from 'node:os';
import { GantryError } from '../core/errors.ts';
import { containerdPaths, findExecutable, runningContainerd } from './containerd.ts';
import { runningPid } from './managed-process.ts';
import type { CloudOptions, CloudPaths } from './options.ts';
import { isLoopback, readOptions, serverProcess } from './server.ts';

export const neededTools = ['containerd', 'containerd-shim-runc-v2', 'runc', 'ip', 'iptables-restore', 'nsenter'];
export const neededDiskMib = 1024;

export const supervisorProcess = (paths: CloudPaths) => ({ pidFile: paths.supervisorPid, marker: 'up' });

/** Makes the two directories; throws a GantryError otherwise. */
export async function checkMachine(options: CloudOptions, paths: CloudPaths): Promise<void> {
  const refuse = (message: string, hint: string): never => {
    throw new GantryError('ClientException', message, { hint });
  };
  if (platform() !== 'linux')
    refuse('gantry up runs containers and so needs Linux.', 'Run it in a Linux virtual machine or on a Linux host.');
  if (process.getuid?.() !== 0)
    refuse('gantry up makes cgroups, networks and containers and so needs root.', 'Run it with sudo.');
  const missing = neededTools.filter((tool) => findExecutable(tool) === undefined);
  if (missing.length > 0)
    refuse(
      `This machine lacks ${missing.join(', ')}.`,
      'Run `npm run quickstart` in a clone of Gantry, which brings what is missing, or install it.',
    );
  if (options.auth === 'none' && !isLoopback(options.listen))
    refuse(
      `--auth none would open the control plane to everybody who reaches ${options.listen}.`,
      'Use --auth none only with --listen 127.0.0.1.',
    );
  if (!options.tls && (options.tlsCertificate ?? options.tlsKey ?? options.tlsNames[0]) !== undefined)
    refuse('--tls-certificate, --tls-key and --tls-name say something only with --tls.', 'Add --tls.');
  if (!isLoopback(options.listen) && !options.tls && !options.plainHttp)
    refuse(
      `Without TLS, whoever is between would read tokens, environments and logs on their way to ${options.listen}.`,
      'Add --tls; or --plain-http where the network encrypts by itself, or a proxy that speaks TLS stands before it.',
    );
  const supervisor = runningPid(supervisorProcess(paths));
  if (supervisor !== undefined && supervisor !== process.pid)
    refuse(`A cloud is already up here (pid ${supervisor}).`, 'Use it, or end it with `gantry down`.');
  const before = readOptions(paths)?.dataDir ?? options.dataDir;
  if (before !== options.dataDir && runningContainerd(containerdPaths(before, paths.runDir)) !== undefined)
    refuse(
      `Containers of a cloud with its data in ${before} still run here.`,
      `Take it up again with --data ${before}, end it with \`gantry down\`, or choose another --run-dir and --name.`,
    );
  refuseOtherKind(options, paths);
  if (runningPid(serverProcess(paths)) === undefined && !(await isFree(options)))
    refuse(
      `Port ${options.port} of ${options.listen} is in use by another program.`,
      'End that program, or choose another port with --port.',
    );
  for (const dir of [paths.dataDir, paths.runDir]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = statfsSync(paths.dataDir);
  const freeMib = Math.floor((bavail * bsize) / 1024 ** 2);
  if (freeMib < neededDiskMib)
    refuse(
      `${paths.dataDir} has ${freeMib} MiB free; images and logs need at least ${neededDiskMib}.`,
      'Free some space, or choose another place with --data.',
    );
}

/** Fixed hosts and those of a fleet have the same networks. */
function refuseOtherKind(options: CloudOptions, paths: CloudPaths): void {
  const before = readOptions(paths);
  if (before === undefined || runningContainerd(containerdPaths(paths.dataDir, paths.runDir)) === undefined) return;
  if ((before.fleet === undefined) === (options.fleet === undefined)) return;
  throw new GantryError(
    'ClientException',
    before.fleet === undefined
      ? 'Hosts that were brought up without --fleet are still here.'
      : 'Hosts that were brought up with --fleet are still here.',
    { hint: '`gantry down` ends them; then bring the cloud up as you want it.' },
  );
}

function isFree({ listen, port }: CloudOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: listen, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
