/** Hosts that follow the tasks, in the shape of AWS: bought by the deployed function from our EC2, joined by the instance's own proof. */
import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { Duration, type Stack } from 'aws-cdk-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GantryCapacityProvider } from '../../lib/gantry-capacity-provider.ts';
import { GantryCluster } from '../../lib/gantry-cluster.ts';
import type { GantryControlPlane } from '../../lib/gantry-control-plane.ts';
import { whenTask } from '../e2e/when-task.ts';
import type { StartedInstance } from '../ec2/machines.ts';
import { fakeCommands } from '../support/fake-runtime.ts';
import { type FakeSts, startFakeSts } from '../support/fake-sts.ts';
import { type AwsCloud, startAwsCloud } from './aws-cloud.ts';
import { proofWith } from './instance.ts';
import { shortMinutes } from './minutes.ts';
import { eventually, patience } from './patience.ts';
import { startHost } from './test-host.ts';

function clusterThatBuys(stack: Stack, controlPlane: GantryControlPlane): void {
  const cluster = new GantryCluster(stack, 'Blue', { controlPlane, clusterName: 'blue' });
  new GantryCapacityProvider(stack, 'Pool', {
    cluster,
    providerName: 'pool',
    instanceTypes: ['c7i.*'],
    maxHosts: 3,
    market: 'spot-first',
    idle: Duration.seconds(0),
    makeDefault: true,
  });
}

describe('a cluster whose hosts are bought', patience, () => {
  let sts: FakeSts;
  let cloud: AwsCloud;
  let minutes: Disposable;

  /** The instance's agent, with the credentials of its role. */
  function boot({ instanceId }: StartedInstance): Promise<AsyncDisposable> {
    const roles = cloud.platform.resourcesOf('AWS::IAM::Role');
    const roleId = String(roles.find(({ id }) => id.includes('BlueHostRole'))?.attributes.RoleId);
    const entitlement = proofWith(sts.assume({ roleId, sessionName: instanceId }), cloud.region);
    return startHost(cloud, instanceId, { cluster: 'blue', speed: 10, entitlement });
  }

  beforeAll(async () => {
    sts = await startFakeSts();
    cloud = await startAwsCloud({
      endpoints: { AWS_ENDPOINT_URL_STS: sts.endpoint },
      more: clusterThatBuys,
      ec2: { startInstance: boot },
    });
    minutes = shortMinutes(cloud, 3_000);
    await cloud.client.call('RegisterTaskDefinition', {
      family: 'serves',
      containerDefinitions: [
        { name: 'main', image: 'busybox', cpu: 512, memory: 512, command: fakeCommands.runsUntilStopped },
      ],
    });
  }, patience.timeout);

  afterAll(async () => {
    minutes?.[Symbol.dispose]();
    await cloud?.[Symbol.asyncDispose]();
    await sts?.[Symbol.asyncDispose]();
  }, patience.timeout);

  const living = () => cloud.world.place.ec2.instances().filter(({ state }) => state !== 'terminated');

  async function running(count: number): Promise<string[]> {
    const { tasks } = await cloud.client.call('RunTask', { cluster: 'blue', taskDefinition: 'serves', count });
    const arns = tasks.map(({ taskArn }) => taskArn);
    expect(arns).toHaveLength(count);
    for (const arn of arns) await whenTask(cloud.client, 'running', arn, 'blue');
    return arns;
  }

  it('has hosts for tasks that found none, by their own proof, and none when these are over', async () => {
    expect(living()).toEqual([]);
    const arns = await running(5);
    const bought = living();
    expect(bought.length).toBeGreaterThan(0);
    for (const instance of bought)
      expect(instance).toMatchObject({
        instanceType: expect.stringMatching(/^c7i\./),
        lifecycle: 'spot',
        tags: {
          'gantry:cluster': 'blue',
          'gantry:capacity-provider': 'pool',
          'gantry:control-plane': expect.stringMatching(/^GantryControlPlane\w+\/loopback$/),
        },
      });
    const { hosts: shown } = await cloud.client.call('GetHosts', { cluster: 'blue' });
    expect(shown.map(({ hostName }) => hostName).toSorted()).toEqual(
      bought.map(({ instanceId }) => instanceId).toSorted(),
    );
    for (const task of arns) await cloud.client.call('StopTask', { cluster: 'blue', task });
    await eventually(() => expect(living()).toEqual([]));
    expect(cloud.world.identities.denials).toEqual([]);
  });

  it('empties a host when EC2 says that it takes the instance back, long before it does', async () => {
    const [task = ''] = await running(1);
    const [{ instanceId } = expect.fail()] = living();
    cloud.world.place.ec2.interrupt(instanceId);
    const status = async () => (await cloud.client.call('GetHost', { cluster: 'blue', host: instanceId })).host.status;
    await eventually(async () => expect(await status()).toBe('DRAINING'));
    // Its tasks are told after nothing more can be placed beside them.
    await eventually(async () =>
      expect((await cloud.client.call('GetTask', { cluster: 'blue', task })).task).toMatchObject({
        lastStatus: 'RUNNING',
        headline: expect.stringMatching(/spot/i),
      }),
    );
    await cloud.client.call('StopTask', { cluster: 'blue', task });
    await eventually(() => expect(living()).toEqual([]));
  });

  it('loses with an instance what ran on it, whoever has ended that', async () => {
    const [task = ''] = await running(1);
    const [{ instanceId } = expect.fail()] = living();
    const { containerInstanceArn } = (await cloud.client.call('GetHost', { cluster: 'blue', host: instanceId })).host;
    await cloud.world.place.client.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
    expect(await whenTask(cloud.client, 'stopped', task, 'blue')).toMatchObject({
      stopCode: 'TerminationNotice',
      stoppedReason: expect.stringContaining(instanceId),
    });
    expect((await cloud.client.call('GetHosts', { cluster: 'blue' })).hosts).toEqual([]);
    const containerInstances = [containerInstanceArn];
    const described = await cloud.client.call('DescribeContainerInstances', { cluster: 'blue', containerInstances });
    expect(described.containerInstances).toMatchObject([{ status: 'INACTIVE', agentConnected: false }]);
    expect(living()).toEqual([]);
  });

  it('leaves no instance when its stack is deleted', async () => {
    const arns = await running(2);
    await cloud.platform.destroy();
    expect(living()).toEqual([]);
    expect(cloud.world.identities.denials).toEqual([]);
    expect(cloud.world.unknownCalls).toEqual([]);
    for (const taskArn of arns) {
      const stopped = { taskArn, lastStatus: 'STOPPED', stopCode: 'TerminationNotice' };
      await eventually(() =>
        expect(cloud.world.buses.events.map(({ detail }) => detail)).toContainEqual(expect.objectContaining(stopped)),
      );
    }
  });
});
