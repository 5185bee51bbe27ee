/** What the stories of hosts that follow the tasks run on: `gantry up --fleet`, and the AWS shape on loopback with an EC2 of our own. */
import type { Client } from '../../client/client.ts';
import { readLiveHosts } from '../../local/fleet/records.ts';
import { shareOf } from '../../local/host-plan.ts';
import { thisMachine } from '../../local/machine.ts';
import { cloudPaths } from '../../local/options.ts';
import { readOptions } from '../../local/server.ts';
import { startAwsFleet } from '../cloud/fleet-on-this-machine.ts';
import { startCloud } from '../support/cloud.ts';
import { killHard } from './one-machine.ts';

/** A cloud that has no host but those that tasks wait for; its cluster is the default one. */
export interface FleetCloud extends AsyncDisposable {
  /** Prefix of everything that it has on this machine. */
  readonly name: string;
  readonly dataDir: string;
  readonly runDir: string;
  /** The first two octets of its networks. */
  readonly network: string;
  readonly client: Client;
  /** The capacity provider that its hosts come from. */
  readonly provider: string;
  /** What each host has for tasks. */
  readonly hostMemoryMib: number;
  /** Hosts of which anything is on this machine. */
  launched(): readonly { readonly name: string; readonly isEnding: boolean }[];
  /** `kill -9`; it comes back by itself. */
  killControlPlane(): Promise<void>;
  /** Fails where something is amiss that tasks need not notice. For when no host is left. */
  expectInOrder(): void;
  /** Its seller takes a host back, after the notice that it gives; answers when. Absent: nobody does. */
  interrupt?(host: string): number;
}

const moments = ['one call', 'all calls', 'hosts launched', 'first task', 'half of the tasks', 'hosts ending'] as const;
/** In the order in which they come. */
export type Moment = (typeof moments)[number];

interface FleetPlatform {
  readonly name: string;
  /** When the control plane is killed. */
  readonly killedAt: readonly Moment[];
  /** Whether hosts can be taken back by who sells them. */
  readonly sellsSpot: boolean;
  /** Hosts are there at once at most so many, and for two seconds after their last task. */
  readonly start: (mostHosts: number) => Promise<FleetCloud>;
}

const local: FleetPlatform = {
  name: 'one machine',
  killedAt: moments,
  sellsSpot: false,
  async start(mostHosts) {
    const cloud = await startCloud(['--fleet', `0..${mostHosts}`, '--fleet-idle-seconds', '2']);
    const { name, dataDir, runDir, client } = cloud;
    const paths = cloudPaths(cloud);
    return {
      name,
      dataDir,
      runDir,
      client,
      network: readOptions(paths)?.network ?? '',
      provider: 'local',
      hostMemoryMib: shareOf(thisMachine(), mostHosts).memoryMib,
      launched: () =>
        readLiveHosts(paths.fleet).map(({ instanceId, state }) => ({
          name: instanceId,
          isEnding: state === 'ending',
        })),
      killControlPlane: () => killHard(`${runDir}/server.pid`),
      expectInOrder: () => {},
      [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
    };
  },
};

const aws: FleetPlatform = {
  name: 'the AWS shape on loopback',
  // Each time a dozen processes come back: with more of them the test is about the machine that it runs on.
  killedAt: ['hosts launched', 'half of the tasks'],
  sellsSpot: true,
  start: startAwsFleet,
};

export const fleetPlatforms: readonly FleetPlatform[] = [local, aws];
