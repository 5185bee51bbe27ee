/** What single tasks have left of themselves on the machine while the cloud is up: all of it must go once they have ended. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findExecutable } from '../../local/containerd.ts';
import type { Cloud } from '../e2e/cloud.ts';
import { shimsOf } from '../support/containerd.ts';
import { taskLeftoversOf } from '../support/leftovers.ts';

export const socketOf = ({ runDir }: Cloud): string => join(runDir, 'containerd.sock');

export function remainsOf(cloud: Cloud, hosts: readonly string[]): string[] {
  return [
    ...taskLeftoversOf(cloud),
    ...shimsOf(socketOf(cloud)).map((pid) => `shim ${pid}`),
    ...hosts.flatMap((host) => [...inContainerd(cloud, host), ...files(cloud, host)]),
  ];
}

function inContainerd(cloud: Cloud, host: string): string[] {
  const ask = (what: string, ...args: string[]): string[] =>
    execFileSync(
      findExecutable('ctr') ?? 'ctr',
      ['--address', socketOf(cloud), '--namespace', `${cloud.name}-${host}`, what, 'list', ...args],
      { encoding: 'utf8' },
    )
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `${host}: ${what} ${line}`);
  return [
    ...ask('containers', '--quiet'),
    ...ask('tasks', '--quiet'),
    // Those of images are committed; a container's is active. So is what was being unpacked, which goes within a day where no containerd was
    // there to be told when the next agent began.
    ...ask('snapshots').filter((line) => /\bActive\b/.test(line) && !line.includes(' temporary-')),
    // Those of a pull that was cut short go within a day, so that the next pull need not begin anew.
    ...ask('leases', '--quiet').filter((line) => !line.includes(' gantry-pull-')),
  ];
}

/** Ledger, runtime and network remember nothing of tasks that have ended. */
function files(cloud: Cloud, host: string): string[] {
  const data = join(cloud.dataDir, 'hosts', host);
  return ['tasks', 'runtime/tasks', 'runtime/network'].flatMap((directory) => {
    const path = join(data, directory);
    return (existsSync(path) ? readdirSync(path) : []).map((name) => `${host}: file ${directory}/${name}`);
  });
}
