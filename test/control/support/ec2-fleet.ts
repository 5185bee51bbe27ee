/** An Ec2Fleet on an endpoint of test/ec2, whose time passes where a test says so. */
import { Ec2Fleet, type Ec2FleetOptions } from '../../../control/fleet/ec2/ec2-fleet.ts';
import type { Order } from '../../../core/model/capacity.ts';
import type { HostSupply } from '../../../core/model/host-supply.ts';
import { type Ec2Options, type Ec2UnderTest, startEc2 } from '../../ec2/ec2.ts';

/** Whose they are is nobody's business on loopback. */
export const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' };

export interface Ec2FleetUnderTest extends AsyncDisposable {
  readonly ec2: Ec2UnderTest;
  readonly fleet: Ec2Fleet;
  /** The same fleet as another process has it. */
  another(changes?: Partial<Ec2FleetOptions>): Ec2Fleet;
  pass(ms: number): void;
  /** Second by second, until `holds` answers true. */
  later(holds: () => Promise<boolean>): Promise<void>;
}

type Supplied = (supply: HostSupply) => HostSupply;

/** Clusters `default` and `other` have a launch template of each architecture and a subnet in each zone, changed by `supplied`. */
export async function openEc2(
  options: Ec2Options = {},
  supplied: Supplied = (supply) => supply,
): Promise<Ec2FleetUnderTest> {
  let now = Date.UTC(2100, 0, 1);
  const ec2 = await startEc2({ now: () => now, ...options });
  const template = (ImageId: string) => {
    const { launchTemplateId: id, version } = ec2.launchTemplate({ ImageId });
    return { id, version };
  };
  const launchTemplates = { x86_64: template('ami-00000000000000001'), arm64: template('ami-00000000000000002') };
  const another = (changes: Partial<Ec2FleetOptions> = {}): Ec2Fleet =>
    new Ec2Fleet({
      region: ec2.region,
      endpoint: ec2.url,
      credentials,
      controlPlane: 'one',
      supply: async (cluster) =>
        ['default', 'other'].includes(cluster)
          ? supplied({ cluster, launchTemplates, subnets: ec2.subnets })
          : undefined,
      prices: async () => new Map(ec2.instanceTypes.map(({ name, onDemandUsd }) => [name, onDemandUsd])),
      now: () => now,
      ...changes,
    });
  return {
    ec2,
    fleet: another(),
    another,
    pass: (ms) => {
      now += ms;
    },
    later: async (holds) => {
      for (let second = 0; !(await holds()); second += 1) {
        if (second === 120) throw new Error('two minutes later it still did not hold');
        now += 1000;
      }
    },
    [Symbol.asyncDispose]: () => ec2[Symbol.asyncDispose](),
  };
}

/** What was launched is there at once, but shows late; what is ended goes late. */
export const slowly = { delays: { visible: 20_000, running: 40_000, shuttingDown: 30_000 } };

const order: Order = {
  id: 'purchase-1',
  cluster: 'default',
  provider: 'provider',
  offers: [{ name: 'm7g.large', zones: ['us-east-1a'] }],
  market: 'on-demand',
  count: 1,
};

/** Of one type in one zone. */
export const one = (changes: Partial<Order> = {}): Order => ({ ...order, ...changes });

/** Of two types of two architectures. */
export const choice = (changes: Partial<Order> = {}): Order => ({
  ...order,
  offers: [
    { name: 'm7g.large', zones: ['us-east-1a', 'us-east-1b'] },
    { name: 'm7i.large', zones: ['us-east-1b'] },
  ],
  ...changes,
});
