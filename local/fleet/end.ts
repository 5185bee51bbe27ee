/** The end of a fleet: takes all of its hosts away, where the cloud is brought up without one. */
import { pino } from 'pino';
import { holdDirectory } from '../../agent/single-instance.ts';
import type { Client } from '../../client/client.ts';
import { GantryError } from '../../core/errors.ts';
import { thisMachine } from '../machine.ts';
import { type CloudOptions, cloudPaths } from '../options.ts';
import { LaunchedHosts } from './hosts.ts';
import { FleetRecords, type LiveHost, readLiveHosts } from './records.ts';

/** Answers which they were. Needs containerd, and no control plane. Throws where one cannot be taken away; may be repeated. */
export async function endFleet(options: CloudOptions, say: (line: string) => void): Promise<readonly LiveHost[]> {
  const paths = cloudPaths(options);
  if (readLiveHosts(paths.fleet).length === 0) return [];
  const held = await holdDirectory(paths.fleet, 'fleet');
  const records = new FleetRecords(paths.fleet);
  const hosts = new LaunchedHosts({ options, paths, machine: thisMachine(), log: pino({ level: 'silent' }) });
  const live = records.live();
  for (const host of live) {
    await hosts.takeAway(
      host,
      () => records.live().length === 1,
      () => records.end(host.instanceId),
    );
    say(`${host.instanceId} of the fleet that was here is taken away`);
  }
  held.close();
  return live;
}

const notThere = ['InvalidParameterException', 'ClusterNotFoundException'];

/** Tells the control plane at once; by itself it would find out after some minutes, and place tasks there until then. */
export async function deregisterEnded(client: Client, ended: readonly LiveHost[]): Promise<void> {
  for (const { cluster, instanceId } of ended) {
    try {
      await client.call('DeregisterContainerInstance', { cluster, containerInstance: instanceId, force: true });
    } catch (error) {
      // One that had not joined is no host, nor is one of a cluster that was deleted.
      const isNone = error instanceof GantryError && notThere.includes(error.code);
      if (!isNone) throw error;
    }
  }
}
