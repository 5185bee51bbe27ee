/** What instance metadata says of the instance that this agent is on. Asked once, at the agent's start. */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { backoffMs, type Random } from '../loops/backoff.ts';
import { type InstanceMetadata, MetadataError } from './metadata.ts';

/** While an instance boots, its network comes after its services, and its role sometimes later than both. */
const askAgain = { firstMs: 250, longestMs: 10_000 };

export interface Ec2Instance {
  readonly instanceId: string;
  /** Private IPv4. */
  readonly address: string;
  readonly instanceType: string;
  readonly availabilityZone: string;
  readonly region: string;
  readonly amiId: string;
}

export interface AskingDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const items = {
  instanceId: 'instance-id',
  address: 'local-ipv4',
  instanceType: 'instance-type',
  availabilityZone: 'placement/availability-zone',
  region: 'placement/region',
  amiId: 'ami-id',
} as const satisfies Record<keyof Ec2Instance, string>;

/** Asks until it is answered; undefined when the signal fired first. */
export async function readInstance(
  metadata: InstanceMetadata,
  { clock, random, log }: AskingDeps,
  signal: AbortSignal,
): Promise<Ec2Instance | undefined> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      return await readOnce(metadata);
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error;
      log.warn({ err: error, failures }, 'instance metadata does not say what this instance is; asking again');
      await clock.sleep(backoffMs(failures, askAgain, random), signal);
    }
  }
  return undefined;
}

async function readOnce(metadata: InstanceMetadata): Promise<Ec2Instance> {
  const read = async (name: keyof Ec2Instance): Promise<string> => {
    const value = await metadata.read(items[name]);
    if (value === undefined || value === '') throw new MetadataError(`Instance metadata has no ${items[name]}.`);
    return value;
  };
  const [instanceId, address, instanceType, availabilityZone, region, amiId] = await Promise.all([
    read('instanceId'),
    read('address'),
    read('instanceType'),
    read('availabilityZone'),
    read('region'),
    read('amiId'),
  ]);
  return { instanceId, address, instanceType, availabilityZone, region, amiId };
}
