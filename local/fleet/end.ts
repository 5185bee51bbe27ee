/** The end of a fleet: takes all of its hosts away, where the cloud is brought up without one. */
import { pino } from 'pino';
import { holdDirectory } from '../../agent/single-instance.ts';
import { thisMachine } from '../machine.ts';
import { type CloudOptions, cloudPaths } from '../options.ts';
import { LaunchedHosts } from './hosts.ts';
import { FleetRecords, readLiveHosts } from './records.ts';

/** Needs containerd, and no control plane. Throws where one cannot be taken away; may be repeated. */
export async function endFleet(options: CloudOptions, say: (line: string) => void): Promise<void> {
  const paths = cloudPaths(options);
  if (readLiveHosts(paths.fleet).length === 0) return;
  const held = await holdDirectory(paths.fleet, 'fleet');
  const records = new FleetRecords(paths.fleet);
  const hosts = new LaunchedHosts({ options, paths, machine: thisMachine(), log: pino({ level: 'silent' }) });
  for (const host of records.live()) {
    await hosts.takeAway(
      host,
      () => records.live().length === 1,
      () => records.end(host.instanceId),
    );
    say(`${host.instanceId} of the fleet that was here is taken away`);
  }
  held.close();
}
