import { describe, expect, it } from 'vitest';
import { openRequests } from '../../control/store/requests.ts';
import { Death } from './support/intercepted-table.ts';
import { startWorld, type World } from './support/world.ts';

const arn = (name: string): string => `arn:aws:ecs:us-east-1:000000000000:cluster/${name}`;

const describeOne = async (world: World, name: string) =>
  (await world.call('DescribeClusters', { clusters: [name] })).clusters[0];

describe('a cluster', () => {
  it('called default exists from the start, and is what is meant where none is named', async () => {
    await using world = await startWorld();
    const { clusters, failures } = await world.call('DescribeClusters', {});
    expect(clusters).toMatchObject([{ clusterName: 'default', clusterArn: arn('default'), status: 'ACTIVE' }]);
    expect(failures).toEqual([]);
    expect((await world.call('CreateCluster', {})).cluster).toEqual(clusters[0]);
  });

  it('is made once however often it is asked for', async () => {
    await using world = await startWorld();
    const request = { clusterName: 'blue', tags: [{ key: 'a', value: 'b' }] };
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.call('CreateCluster', request)));
    for (const { cluster } of answers) expect(cluster).toEqual(answers[0]?.cluster);
    expect((await world.call('ListClusters', {})).clusterArns).toEqual([arn('blue'), arn('default')]);
    await expect(world.call('CreateCluster', { clusterName: 'no spaces' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'clusterName',
    });
  });

  it('counts its hosts and its tasks', async () => {
    await using world = await startWorld();
    await world.register('job', { memory: 100 });
    const host = await world.host({ memoryMib: 200 });
    await world.call('RunTask', { taskDefinition: 'job' });
    await host.obey();
    await world.call('RunTask', { taskDefinition: 'job', count: 2 });
    expect(await describeOne(world, 'default')).toMatchObject({
      registeredContainerInstancesCount: 1,
      runningTasksCount: 1,
      pendingTasksCount: 2,
      activeServicesCount: 0,
    });
  });

  it('is described with the parts that are asked for', async () => {
    await using world = await startWorld();
    await world.register('job');
    const tags = [{ key: 'a', value: 'b' }];
    const settings = [{ name: 'gantry:waitForCapacity', value: 'enabled' }];
    const configuration = { executeCommandConfiguration: { logging: 'NONE' } };
    await world.call('CreateCluster', { clusterName: 'blue', tags, settings, configuration });
    await world.host({
      cluster: 'blue',
      token: await world.control.joinTokens.create({ cluster: 'blue', reusable: true }),
    });
    await world.call('RunTask', { cluster: 'blue', taskDefinition: 'job', count: 2 });
    const describe = async (include?: string[]) =>
      (await world.call('DescribeClusters', { clusters: ['blue'], include })).clusters[0];
    const bare = await describe();
    expect(bare).toMatchObject({ tags: [], settings: [], statistics: [] });
    expect(bare).not.toHaveProperty('configuration');
    expect(bare).not.toHaveProperty('attachments');
    const full = await describe(['ATTACHMENTS', 'CONFIGURATIONS', 'SETTINGS', 'STATISTICS', 'TAGS']);
    expect(full).toMatchObject({ tags, settings, configuration, attachments: [] });
    expect(full?.statistics).toContainEqual({ name: 'pendingEC2TasksCount', value: '2' });
    expect(full?.statistics).toContainEqual({ name: 'runningFargateTasksCount', value: '0' });
    await expect(describe(['COLOURS'])).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'include[0]',
    });
  });

  it('is described with those that are missing, each once', async () => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'blue' });
    const { clusters, failures } = await world.call('DescribeClusters', {
      clusters: ['blue', 'nowhere', arn('default'), arn('blue'), 'no spaces'],
    });
    expect(clusters.map(({ clusterName }) => clusterName)).toEqual(['blue', 'default']);
    expect(failures).toEqual([
      { arn: arn('nowhere'), reason: 'MISSING' },
      { arn: arn('no spaces'), reason: 'MISSING' },
    ]);
    const clusters101 = Array.from({ length: 101 }, (_, index) => `c${index}`);
    await expect(world.call('DescribeClusters', { clusters: clusters101 })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'clusters',
    });
  });
});

describe('DeleteCluster', () => {
  const refusal = (world: World, cluster: string) => expect(world.call('DeleteCluster', { cluster })).rejects;

  it('refuses one with hosts, then one with tasks, and does not know others', async () => {
    await using world = await startWorld();
    await refusal(world, 'nowhere').toMatchObject({ code: 'ClusterNotFoundException', message: 'Cluster not found.' });
    await refusal(world, 'no spaces').toMatchObject({ code: 'ClusterNotFoundException' });
    await world.host();
    await refusal(world, 'default').toMatchObject({
      code: 'ClusterContainsContainerInstancesException',
      message: 'The Cluster cannot be deleted while Container Instances are active or draining.',
    });
    await world.call('CreateCluster', { clusterName: 'blue' });
    await world.register('job');
    const { tasks } = await world.call('RunTask', { cluster: 'blue', taskDefinition: 'job' });
    await refusal(world, arn('blue')).toMatchObject({
      code: 'ClusterContainsTasksException',
      message: 'The Cluster cannot be deleted while Tasks are active.',
    });
    await world.call('StopTask', { cluster: 'blue', task: tasks[0]?.taskArn });
    const { cluster } = await world.call('DeleteCluster', { cluster: arn('blue') });
    expect(cluster).toMatchObject({ clusterName: 'blue', status: 'INACTIVE' });
    expect(await world.call('DeleteCluster', { cluster: 'blue' }), 'asked again').toEqual({ cluster });
  });

  it('leaves one that takes nothing any more, is described as INACTIVE, and can be made again', async () => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'blue' });
    await world.register('job');
    await world.call('ListTasks', { cluster: 'blue' });
    await world.call('DeleteCluster', { cluster: 'blue' });
    for (const call of [
      () => world.call('RunTask', { cluster: 'blue', taskDefinition: 'job' }),
      () => world.call('ListTasks', { cluster: 'blue' }),
      () => world.call('StopTask', { cluster: 'blue', task: 'a'.repeat(32) }),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: 'ClusterNotFoundException',
        message: 'The referenced cluster was inactive.',
      });
    }
    expect((await world.call('ListClusters', {})).clusterArns).toEqual([arn('default')]);
    expect(await describeOne(world, 'blue')).toMatchObject({ status: 'INACTIVE' });
    await world.call('CreateCluster', { clusterName: 'blue' });
    expect(await describeOne(world, 'blue')).toMatchObject({ status: 'ACTIVE' });
    expect((await world.call('RunTask', { cluster: 'blue', taskDefinition: 'job' })).tasks).toHaveLength(1);
  });

  it('against a host that joins in this moment: one of the two wins', async () => {
    await using world = await startWorld();
    for (let index = 0; index < 5; index += 1) {
      const cluster = `c${index}`;
      await world.call('CreateCluster', { clusterName: cluster });
      const token = await world.control.joinTokens.create({ cluster, reusable: true });
      const [deleted, joined] = await Promise.allSettled([
        world.call('DeleteCluster', { cluster }),
        world.host({ cluster, name: cluster, token }),
      ]);
      expect([deleted.status, joined.status].sort(), cluster).toEqual(['fulfilled', 'rejected']);
    }
  });

  it('is told to who knew the cluster as ACTIVE a moment ago, and lets nothing wait in it', async () => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'blue' });
    await world.register('job');
    const other = await world.another();
    await world.call('ListTasks', { cluster: 'blue' }, { control: other }); // It knows the cluster as ACTIVE for a second.
    await world.call('DeleteCluster', { cluster: 'blue' });
    const run = () => world.call('RunTask', { cluster: 'blue', taskDefinition: 'job' }, { control: other });
    await expect(run()).rejects.toMatchObject({ code: 'ClusterNotFoundException' });
    await world.call('CreateCluster', { clusterName: 'blue' });
    expect((await world.call('GetTasks', { cluster: 'blue' })).tasks).toEqual([]);
    expect((await run()).tasks).toHaveLength(1);
  });

  it('that was begun by a process that is gone hinders nobody', async () => {
    const death = new Death(2, 'before');
    await using world = await startWorld({ wrap: death.wrap });
    await world.call('CreateCluster', { clusterName: 'blue' });
    await world.register('job');
    death.arm();
    await expect(world.call('DeleteCluster', { cluster: 'blue' })).rejects.toThrow('the process is gone');
    const control = await world.another();
    const { tasks } = await world.call('RunTask', { cluster: 'blue', taskDefinition: 'job' }, { control });
    expect(tasks).toHaveLength(1);
    const remove = () => world.call('DeleteCluster', { cluster: 'blue' }, { control });
    await expect(remove()).rejects.toMatchObject({ code: 'ClusterContainsTasksException' });
    await world.call('StopTask', { cluster: 'blue', task: tasks[0]?.taskArn }, { control });
    expect((await remove()).cluster).toMatchObject({ status: 'INACTIVE' });
  });

  it('refuses the rest of a call that was begun before', async () => {
    const death = new Death(2, 'before');
    await using world = await startWorld({ wrap: death.wrap });
    await world.call('CreateCluster', { clusterName: 'blue' });
    await world.register('job');
    const run = { cluster: 'blue', taskDefinition: 'job', count: 30, clientToken: 'once' };
    death.arm();
    await expect(world.call('RunTask', run)).rejects.toThrow('the process is gone');
    const control = await world.another();
    const { taskArns } = await world.call('ListTasks', { cluster: 'blue' }, { control });
    expect(taskArns).toHaveLength(24);
    for (const task of taskArns) await world.call('StopTask', { cluster: 'blue', task }, { control });
    await world.call('DeleteCluster', { cluster: 'blue' }, { control });
    world.advance(10);
    await world.loop('finish-requests', control);
    expect(await openRequests(world.table)).toEqual([]);
    await world.call('CreateCluster', { clusterName: 'blue' }, { control });
    const { tasks, failures } = await world.call('RunTask', run, { control });
    expect([tasks.length, failures.length]).toEqual([24, 6]);
    expect(failures[0]).toEqual({ reason: 'INACTIVE', detail: 'the cluster was deleted before they were made' });
  });
});

describe('UpdateCluster', () => {
  it('changes what is given and leaves the rest', async () => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'blue', tags: [{ key: 'a' }] });
    const settings = [{ name: 'gantry:waitForCapacity', value: 'enabled' }];
    await world.call('UpdateCluster', { cluster: 'blue', settings });
    const configuration = { executeCommandConfiguration: { logging: 'DEFAULT' } };
    const { cluster } = await world.call('UpdateCluster', { cluster: arn('blue'), configuration });
    expect(cluster).toMatchObject({ settings, configuration, tags: [{ key: 'a' }] });
    expect((await world.call('UpdateCluster', { cluster: 'blue' })).cluster).toEqual(cluster);
  });

  it('refuses what would have to change something that there is not, and does not know others', async () => {
    await using world = await startWorld();
    const update = (members: object) => expect(world.call('UpdateCluster', { cluster: 'default', ...members })).rejects;
    const execute = (members: object) => ({ configuration: { executeCommandConfiguration: members } });
    const path = 'configuration.executeCommandConfiguration';
    await update(execute({ logging: 'OVERRIDE' })).toMatchObject({ field: `${path}.logging` });
    await update(execute({ kmsKeyId: 'k' })).toMatchObject({ code: 'ClientException', field: `${path}.kmsKeyId` });
    await update({ configuration: { managedStorageConfiguration: { kmsKeyId: 'k' } } }).toMatchObject({
      field: 'configuration.managedStorageConfiguration.kmsKeyId',
    });
    await update({ serviceConnectDefaults: { namespace: 'n' } }).toMatchObject({
      field: 'serviceConnectDefaults.namespace',
    });
    await update({ settings: [{ name: 'containerInsights', value: 'enabled' }] }).toMatchObject({
      field: 'settings[0].value',
    });
    await update({ cluster: 'nowhere' }).toMatchObject({ code: 'ClusterNotFoundException' });
    const { clusters } = await world.call('DescribeClusters', { include: ['CONFIGURATIONS', 'SETTINGS'] });
    expect(clusters[0]).not.toHaveProperty('configuration');
    expect(clusters[0]).toMatchObject({ settings: [] });
  });
});
