/**
 * The AWS shape on loopback with a cluster whose hosts are bought, and an EC2 whose instances are hosts of this machine. Makes all of it,
 * ends all of it.
 */
import { Duration, type Stack } from 'aws-cdk-lib';
import { expect } from 'vitest';
import { taskMemoryMib } from '../../control/fleet/ec2/offers.ts';
import { GantryCapacityProvider } from '../../lib/gantry-capacity-provider.ts';
import { GantryCluster } from '../../lib/gantry-cluster.ts';
import type { GantryControlPlane } from '../../lib/gantry-control-plane.ts';
import { removeHosts } from '../../local/down.ts';
import { shareOf } from '../../local/host-plan.ts';
import { thisMachine } from '../../local/machine.ts';
import type { FleetCloud } from '../e2e/fleets.ts';
import type { InstanceTypeFacts } from '../ec2/instance-types.ts';
import { type FakeSts, startFakeSts } from '../support/fake-sts.ts';
import { type AwsCloud, startAwsCloud } from './aws-cloud.ts';
import { BoughtHosts } from './bought-hosts.ts';
import { type MachinePlace, makePlace } from './machine-place.ts';
import { shortMinutes } from './minutes.ts';

const minuteMs = 5_000;
/** No machine boots at once, and what was bought is known by then: a kill before costs a real minute (control/capacity/launching.ts). */
const bootMs = 1_000;
const noticeMs = 120_000;
const provider = 'pool';

export async function startAwsFleet(mostHosts: number): Promise<FleetCloud> {
  await using made = new AsyncDisposableStack();
  const place = made.use(makePlace('us-east-1'));
  const { options, paths } = place;
  made.defer(() => removeHosts([], options, paths));
  const containerdSocket = await place.containerd();
  const sts = made.use(await startFakeSts());
  const deployed = Promise.withResolvers<AwsCloud>();
  const hosts = new BoughtHosts({ place, containerdSocket, sts, cloud: deployed.promise });
  const types = typesFor(mostHosts);
  const cloud = made.use(await deploy({ place, sts, hosts, types, mostHosts }));
  deployed.resolve(cloud);
  made.use(shortMinutes(cloud, minuteMs));
  const all = made.move();
  const { ec2 } = cloud.world.place;
  return {
    name: options.name,
    ...paths,
    network: options.network,
    client: cloud.client,
    provider,
    hostMemoryMib: taskMemoryMib(types[0].memoryMib, undefined),
    launched: () => [...hosts.here].map(([name, { isEnding }]) => ({ name, isEnding })),
    killControlPlane: () => cloud.killFunctions(),
    interrupt(instanceId) {
      const goesAt = Date.now() + noticeMs;
      const host = hosts.here.get(instanceId) ?? expect.fail(`${instanceId} is no host`);
      host.metadata.notices.spotAction = { action: 'terminate', time: new Date(goesAt).toISOString() };
      ec2.interrupt(instanceId);
      return goesAt;
    },
    expectInOrder() {
      expect(ec2.instances().filter(({ state }) => state !== 'terminated')).toEqual([]);
      expect(cloud.world.identities.denials).toEqual([]);
      expect(cloud.world.unknownCalls).toEqual([]);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** As small as so many of them fit on this machine; two do for the same tasks, so that the purchase has a choice. */
function typesFor(count: number): readonly [InstanceTypeFacts, InstanceTypeFacts] {
  const machine = thisMachine();
  const { memoryMib } = shareOf(machine, count);
  const facts = { vcpus: machine.cpuUnits / 1024, memoryMib, architecture: machine.cpuArchitecture };
  return [
    { ...facts, name: 't3.small', onDemandUsd: 0.0208, spotUsd: 0.0081 },
    { ...facts, name: 't3a.small', onDemandUsd: 0.0188, spotUsd: 0.0079 },
  ];
}

interface Parts {
  readonly place: MachinePlace;
  readonly sts: FakeSts;
  readonly hosts: BoughtHosts;
  readonly types: readonly InstanceTypeFacts[];
  readonly mostHosts: number;
}

function deploy({ place, sts, hosts, types, mostHosts }: Parts): Promise<AwsCloud> {
  const { network, region } = place.options;
  return startAwsCloud({
    region,
    // A process each, and the containers need this machine too.
    concurrency: 4,
    endpoints: { AWS_ENDPOINT_URL_STS: sts.endpoint },
    more: (stack, controlPlane) => clusterThatBuys(stack, controlPlane, mostHosts),
    ec2: {
      types,
      delays: { running: bootMs },
      // Together the network of the bridge that this machine's hosts are on.
      cidrs: [0, 64, 128].map((first) => `${network}.0.${first}/26`),
      startInstance: (instance) => hosts.boot(instance),
    },
  });
}

function clusterThatBuys(stack: Stack, controlPlane: GantryControlPlane, maxHosts: number): void {
  const cluster = new GantryCluster(stack, 'Cluster', { controlPlane, clusterName: 'default' });
  new GantryCapacityProvider(stack, 'Pool', {
    cluster,
    providerName: provider,
    instanceTypes: ['t3*.small'],
    maxHosts,
    market: 'spot-first',
    idle: Duration.seconds(2),
    makeDefault: true,
  });
}
