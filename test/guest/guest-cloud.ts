/**
 * The control plane of the AWS shape on loopback, deployed with a cluster whose hosts are bought, and an EC2 whose instances are virtual
 * machines: what the function that buys launches is booted with what it was launched with. Makes all of it, ends all of it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { Duration, type Stack } from 'aws-cdk-lib';
import { GantryCapacityProvider } from '../../lib/gantry-capacity-provider.ts';
import { GantryCluster } from '../../lib/gantry-cluster.ts';
import type { GantryControlPlane } from '../../lib/gantry-control-plane.ts';
import { type AwsCloud, startAwsCloud } from '../cloud/aws-cloud.ts';
import { shortMinutes } from '../cloud/minutes.ts';
import type { Ec2UnderTest } from '../ec2/ec2.ts';
import type { InstanceTypeFacts } from '../ec2/instance-types.ts';
import { type FakeSts, startFakeSts } from '../support/fake-sts.ts';
import { startTestImages } from '../support/test-images.ts';
import { type Ec2Host, makeEc2Host } from './ec2-host.ts';
import { guestImage } from './image.ts';
import { network } from './network.ts';

/** The schedule's minute, made shorter. */
const minuteMs = 5_000;
const registryName = 'registry.example';

/** As small as a guest can be. Two do for the same tasks, so that the order has a choice; the third is dearer than is worth it. */
const types: readonly InstanceTypeFacts[] = [
  { name: 't3.small', vcpus: 2, memoryMib: 2048, architecture: 'x86_64', onDemandUsd: 0.0208 },
  { name: 't3a.small', vcpus: 2, memoryMib: 2048, architecture: 'x86_64', onDemandUsd: 0.0188 },
  { name: 't3.medium', vcpus: 2, memoryMib: 4096, architecture: 'x86_64', onDemandUsd: 0.0416 },
];

export interface GuestCloud extends AsyncDisposable {
  readonly cloud: AwsCloud;
  readonly ec2: Ec2UnderTest;
  readonly sts: FakeSts;
  /** By the id of the instance, as soon as it is about to boot; also those that have ended. */
  readonly hosts: ReadonlyMap<string, Ec2Host>;
  /** A busybox image as guests pull it. */
  readonly busybox: string;
}

/** Of the one capacity provider. */
export const poolName = 'pool';

export async function startGuestCloud(say: (line: string) => void): Promise<GuestCloud> {
  await using made = new AsyncDisposableStack();
  const image = guestImage(say);
  const sts = made.use(await startFakeSts());
  const images = made.use(await startTestImages());
  const directory = mkdtempSync('/var/tmp/gantry-guest-');
  made.defer(() => rmSync(directory, { recursive: true, force: true }));
  const hosts = new Map<string, Ec2Host>();
  const others = new Map([[registryName, Number(new URL(images.registryUrl).port)]]);
  // Nothing is launched before all of it is there.
  const deployed = Promise.withResolvers<AwsCloud>();
  const cloud = made.use(
    await startAwsCloud({
      controlPlane: { heartbeat: Duration.seconds(10) },
      endpoints: { AWS_ENDPOINT_URL_STS: sts.endpoint },
      hostsKnowNames: true,
      more: clusterThatBuys,
      ec2: {
        types,
        cidrs: network.subnets,
        async startInstance(instance) {
          await using booting = new AsyncDisposableStack();
          const options = { cloud: await deployed.promise, sts, image, directory, others };
          const host = booting.use(await makeEc2Host(instance, options));
          hosts.set(instance.instanceId, host);
          await host.guest.powerOn();
          return booting.move();
        },
      },
    }),
  );
  deployed.resolve(cloud);
  say('the control plane is deployed on loopback');
  made.use(shortMinutes(cloud, minuteMs));
  const all = made.move();
  return {
    cloud,
    ec2: cloud.world.place.ec2,
    sts,
    hosts,
    busybox: `${registryName}/${images.busybox.replace(/^[^/]+\//, '')}`,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function clusterThatBuys(stack: Stack, controlPlane: GantryControlPlane): void {
  const cluster = new GantryCluster(stack, 'Cluster', { controlPlane, clusterName: 'default' });
  new GantryCapacityProvider(stack, 'Pool', {
    cluster,
    providerName: poolName,
    instanceTypes: ['t3*.*'],
    maxHosts: 3,
    // In software a machine boots for minutes, and what happens between two tasks takes as long.
    join: Duration.minutes(15),
    idle: Duration.minutes(60),
    makeDefault: true,
  });
}
