/** What a stack says of clusters and hosts: who may join, what a definition is, and that nothing in use is deleted. */
import type { Stack } from 'aws-cdk-lib';
import { InstanceClass, InstanceSize, InstanceType } from 'aws-cdk-lib/aws-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostPaths } from '../../core/host-protocol.ts';
import { GantryCluster } from '../../lib/gantry-cluster.ts';
import type { GantryControlPlane } from '../../lib/gantry-control-plane.ts';
import { GantryHosts } from '../../lib/gantry-hosts.ts';
import { whenTask } from '../e2e/when-task.ts';
import { fakeCommands } from '../support/fake-runtime.ts';
import { type FakeSts, startFakeSts } from '../support/fake-sts.ts';
import { type AwsCloud, startAwsCloud } from './aws-cloud.ts';
import { proofWith } from './instance.ts';
import { patience } from './patience.ts';
import { connected, startHost, type TestHost } from './test-host.ts';

function clusterOfStack(stack: Stack, controlPlane: GantryControlPlane): void {
  const cluster = new GantryCluster(stack, 'Blue', { controlPlane, clusterName: 'blue' });
  const instanceType = InstanceType.of(InstanceClass.T3, InstanceSize.SMALL);
  new GantryHosts(stack, 'BlueHosts', { cluster, count: 1, instanceType });
  controlPlane.newCustomResource(stack, 'Serves', {
    resourceType: 'Custom::GantryTaskDefinition',
    properties: {
      Definition: JSON.stringify({
        family: 'serves',
        containerDefinitions: [{ name: 'main', image: 'busybox', memory: 128, command: fakeCommands.runsUntilStopped }],
      }),
    },
  });
}

describe('a deployed cluster', patience, () => {
  let sts: FakeSts;
  let cloud: AwsCloud;
  let host: TestHost;
  let roleId: string;
  let admitted: string;

  const instance = (id: string, role = roleId) =>
    proofWith(sts.assume({ roleId: role, sessionName: id }), cloud.region);

  beforeAll(async () => {
    sts = await startFakeSts();
    cloud = await startAwsCloud({ endpoints: { AWS_ENDPOINT_URL_STS: sts.endpoint }, more: clusterOfStack });
    const [{ id } = expect.fail()] = cloud.platform.resourcesOf('AWS::EC2::Instance');
    admitted = id;
    const roles = cloud.platform.resourcesOf('AWS::IAM::Role');
    roleId = String(roles.find(({ id: name }) => name.includes('BlueHostRole'))?.attributes.RoleId);
    host = await startHost(cloud, admitted, { cluster: 'blue', speed: 10, entitlement: instance(admitted) });
    await connected(cloud, admitted, 'blue');
  }, patience.timeout);

  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await cloud?.[Symbol.asyncDispose]();
    await sts?.[Symbol.asyncDispose]();
  }, patience.timeout);

  /** The hosts that are known once the stranger asks for the second time, because the first time it was refused. */
  async function hostsAfter(name: string, entitlement: ReturnType<typeof instance>): Promise<string[]> {
    let registrations = 0;
    const askedTwice = Promise.withResolvers<void>();
    cloud.lambda('hosts').beforeInvoke = async (event) => {
      if (Object(event).rawPath === hostPaths.register) registrations += 1;
      if (registrations === 2) askedTwice.resolve();
    };
    await using _stranger = await startHost(cloud, name, { cluster: 'blue', speed: 10, entitlement });
    await askedTwice.promise;
    cloud.lambda('hosts').beforeInvoke = undefined;
    const { hosts } = await cloud.client.call('GetHosts', { cluster: 'blue' });
    return hosts.map(({ hostName }) => hostName);
  }

  it('admits the instance that the stack names, by its role, and no other', async () => {
    expect(await hostsAfter('i-0000000000000000b', instance('i-0000000000000000b'))).toEqual([admitted]);
    expect(await hostsAfter('i-0000000000000000c', instance('i-0000000000000000c', 'AROASOMEBODYELSES0000'))).toEqual([
      admitted,
    ]);
    // The role's session, but not an instance's: assumed elsewhere.
    expect(await hostsAfter('somebody', instance('somebody'))).toEqual([admitted]);
    expect(cloud.world.identities.denials).toEqual([]);
  });

  it('is not deleted while it is in use', async () => {
    const { tasks } = await cloud.client.call('RunTask', { cluster: 'blue', taskDefinition: 'serves' });
    const task = tasks[0]?.taskArn ?? expect.fail();
    await whenTask(cloud.client, 'running', task, 'blue');
    await using second = await startHost(cloud, 'host-1', { speed: 10 });
    await connected(cloud, second.name);
    // Its own hosts are drained; what came by itself is not the stack's to end.
    await expect(cloud.platform.destroy()).rejects.toThrow(/cluster default has 1 connected host \(host-1\)/);
    expect([...host.machine.tasks.keys()]).toEqual([]);
    expect((await cloud.client.call('ListClusters', {})).clusterArns.map((arn) => arn.split('/')[1])).toEqual([
      'default',
    ]);
    expect(cloud.platform.outputs.Endpoint).toBe(cloud.endpoint);

    await second.agent.stop();
    const { host: left } = await cloud.client.call('GetHost', { host: second.name });
    await cloud.client.call('DeregisterContainerInstance', { containerInstance: left.containerInstanceArn });
    await cloud.platform.destroy();
    expect(() => cloud.platform.idOf('BlueHosts')).toThrow('there is no resource');
  });
});
