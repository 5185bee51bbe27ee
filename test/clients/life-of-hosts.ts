/** The part of the path that is about hosts and settings, what is not there, and the ends of all. */
import { expect, it } from 'vitest';
import { arn, cluster, type Life, none } from './life.ts';

export function lifeOfHosts(life: () => Life): void {
  it('gives a host attributes, drains it and lets it go', async () => {
    const attribute = { name: 'stack', value: 'prod', targetType: 'container-instance', targetId: life().host.hostId };
    expect(await life().call('PutAttributes', { cluster, attributes: [attribute] })).toMatchObject({
      attributes: [{ name: 'stack', value: 'prod' }],
    });
    const ofHosts = { cluster, targetType: 'container-instance' };
    expect(await life().list('ListAttributes', ofHosts)).toMatchObject({
      attributes: expect.arrayContaining([
        { name: 'stack', value: 'prod', targetId: arn(`container-instance/life/${life().host.hostId}`) },
        { name: 'ecs.os-type', value: 'linux', targetId: expect.anything() },
      ]),
    });
    const inStack = { cluster, status: 'ACTIVE', filter: 'attribute:stack == prod' };
    const ours = { containerInstanceArns: [arn(`container-instance/life/${life().host.hostId}`)] };
    expect(await life().list('ListContainerInstances', inStack)).toMatchObject(ours);
    await life().call('DeleteAttributes', { cluster, attributes: [attribute] });
    expect(await life().list('ListContainerInstances', inStack)).not.toMatchObject(ours);

    const hosts = { cluster, containerInstances: [life().host.hostId] };
    expect(await life().call('UpdateContainerInstancesState', { ...hosts, status: 'DRAINING' })).toMatchObject({
      containerInstances: [{ status: 'DRAINING' }],
      failures: [],
    });
    expect(await life().call('RunTask', { cluster, taskDefinition: 'job', launchType: 'EC2' })).toMatchObject({
      tasks: [],
      failures: [{ reason: expect.any(String) }],
    });
    await life().call('UpdateContainerInstancesState', { ...hosts, status: 'ACTIVE' });
    expect(
      await life().call('DescribeContainerInstances', { ...hosts, include: ['TAGS', 'CONTAINER_INSTANCE_HEALTH'] }),
    ).toMatchObject({ containerInstances: [{ status: 'ACTIVE', agentConnected: true, tags: [] }], failures: [] });
    expect(
      (await life().refusalOf('UpdateContainerAgent', { cluster, containerInstance: life().host.hostId })).code,
    ).toBe('NoUpdateAvailableException');
    expect(
      await life().call('DeregisterContainerInstance', { cluster, containerInstance: life().host.hostId, force: true }),
    ).toMatchObject({ containerInstance: { status: 'INACTIVE' } });
  });

  it('reads and changes account settings', async () => {
    const name = 'fargateTaskRetirementWaitPeriod';
    await life().call('PutAccountSettingDefault', { name, value: '0' });
    expect(await life().call('PutAccountSetting', { name, value: '14' })).toMatchObject({
      setting: { name, value: '14' },
    });
    expect(await life().list('ListAccountSettings', { name, effectiveSettings: true })).toMatchObject({
      settings: [{ name, value: '14' }],
    });
    await life().call('DeleteAccountSetting', { name });
    expect(await life().list('ListAccountSettings', { name, effectiveSettings: true })).toMatchObject({
      settings: [{ name, value: '0' }],
    });
  });

  it('is told what is not there, and what is not built', async () => {
    expect(await life().refusalOf('RunTask', { cluster, taskDefinition: 'never-registered' })).toEqual({
      code: 'ClientException',
      message: expect.stringContaining('TaskDefinition not found.'),
    });
    expect((await life().refusalOf('ListTasks', { cluster: 'nowhere' })).code).toBe('ClusterNotFoundException');
    expect(await life().refusalOf('StopTask', { cluster, task: none })).toEqual({
      code: 'InvalidParameterException',
      message: expect.stringContaining('task was not found'),
    });
    const resourceArn = arn('capacity-provider/none');
    expect((await life().refusalOf('ListTagsForResource', { resourceArn })).code).toBe('ResourceNotFoundException');
    const targetless = { cluster, attributes: [{ name: 'stack', targetId: none }] };
    expect((await life().refusalOf('PutAttributes', targetless)).code).toBe('TargetNotFoundException');
    expect((await life().refusalOf('ListTasks', { cluster, serviceName: 'web' })).code).toBe(
      'ServiceNotFoundException',
    );
    expect((await life().refusalOf('DescribeServices', { cluster, services: ['web'] })).code).toBe(
      'UnsupportedFeatureException',
    );
    await expect(life().wait('tasks-running', { cluster, tasks: [none] })).rejects.toThrow(/MISSING/);
  });

  it('deregisters and deletes what it made', async () => {
    for (const taskDefinition of ['job:1', 'job:2', 'journal:1'])
      expect(await life().call('DeregisterTaskDefinition', { taskDefinition })).toMatchObject({
        taskDefinition: { status: 'INACTIVE' },
      });
    if (!life().lacks.includes('DeleteTaskDefinitions'))
      expect(await life().call('DeleteTaskDefinitions', { taskDefinitions: ['job:1', 'job:9'] })).toMatchObject({
        taskDefinitions: [{ status: 'DELETE_IN_PROGRESS' }],
        failures: [{ reason: expect.any(String) }],
      });
    for (const name of [cluster, 'made'])
      expect(await life().call('DeleteCluster', { cluster: name })).toMatchObject({ cluster: { status: 'INACTIVE' } });
  });
}
