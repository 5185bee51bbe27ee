/**
 * Clusters and what is within them as the ECS wire names them, in every form in which clients write it: what is found, and otherwise
 * which error or which entry of failures[] is the answer. Nothing that is asked here changes what another case asks for.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../core/api/operation.ts';
import { operations } from '../../core/api/operations.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import type { ApiServer } from '../support/api-server.ts';
import {
  arn,
  capacity,
  invalid,
  type Named,
  noCluster,
  noId,
  startedSchema,
  startNamed,
  strangers,
  tooMany,
} from '../support/references.ts';

let api: ApiServer;
let host: ScriptedHost;
let task: string;
let otherTask: string;
let outcomeOf: Named['outcomeOf'];
beforeAll(async () => {
  ({ api, host, task, otherTask, outcomeOf } = await startNamed());
});
afterAll(() => api[Symbol.asyncDispose]());

const list = 'ListClusters shows which there are.';

describe('a cluster', () => {
  /** The rest of a request, of every operation that is about one cluster. What it answers where the cluster is `default`. */
  const requests: Readonly<Record<string, readonly [request: () => object, answer: string | RegExp]>> = {
    RunTask: [() => ({ taskDefinition: 'job', launchType: 'EC2' }), 'done'],
    StartTask: [() => ({ taskDefinition: 'job', containerInstances: [host.hostId] }), 'done'],
    StopTask: [() => ({ task: noId }), /referenced task was not found/],
    DescribeTasks: [() => ({ tasks: [task] }), 'done'],
    ListTasks: [() => ({}), 'done'],
    GetTaskProtection: [() => ({ tasks: [task] }), 'done'],
    UpdateTaskProtection: [() => ({ tasks: [task], protectionEnabled: true }), 'done'],
    DeleteCluster: [() => ({}), /^ClusterContainsContainerInstancesException/],
    UpdateCluster: [() => ({}), 'done'],
    UpdateClusterSettings: [() => ({ settings: [] }), 'done'],
    PutClusterCapacityProviders: [() => ({ ...capacity(['own'], 'default'), cluster: undefined }), 'done'],
    DescribeContainerInstances: [() => ({ containerInstances: [host.hostId] }), 'done'],
    ListContainerInstances: [() => ({}), 'done'],
    UpdateContainerInstancesState: [() => ({ containerInstances: [host.hostId], status: 'ACTIVE' }), 'done'],
    UpdateContainerAgent: [() => ({ containerInstance: host.hostId }), /^NoUpdateAvailableException/],
    DeregisterContainerInstance: [() => ({ containerInstance: host.hostId }), /Found running tasks on the instance/],
    CreateCapacityProvider: [() => ({ name: 'own', gantry: {} }), /capacity provider already exists/],
    UpdateCapacityProvider: [() => ({ name: 'own', gantry: {} }), 'done'],
    DeleteCapacityProvider: [() => ({ capacityProvider: 'own' }), /associated with cluster: default/],
    DescribeCapacityProviders: [() => ({}), 'done'],
    PutAttributes: [() => ({ attributes: [{ name: 'a', value: 'b', targetId: host.hostId }] }), 'done'],
    DeleteAttributes: [() => ({ attributes: [{ name: 'b', targetId: host.hostId }] }), 'done'],
    ListAttributes: [() => ({ targetType: 'container-instance' }), 'done'],
  };
  const named = Object.values(operations).filter(({ wire, input }) => wire && 'cluster' in input.shape);

  it('is named by these operations', () => {
    expect(Object.keys(requests).sort()).toEqual(named.map(({ name }) => name).sort());
  });

  it.each(Object.entries(requests))('in %s, in every form', async (operation, [request, answer]) => {
    const ask = (cluster: string | undefined) => outcomeOf(operation, { ...request(), cluster });
    const ours: (string | undefined)[] = ['default', arn('cluster/default')];
    const schema = (operations as Readonly<Record<string, Operation>>)[operation]?.input;
    if (schema?.safeParse(request()).success === true) ours.push(undefined);
    else expect(await ask(undefined)).toBe(invalid('cluster is missing.'));
    for (const cluster of ours)
      if (typeof answer === 'string') expect(await ask(cluster), cluster).toBe(answer);
      else expect(await ask(cluster), cluster).toMatch(answer);
    for (const [form, [cluster, expected]] of Object.entries(strangers('cluster/default', 'cluster', 'a cluster')))
      expect(await ask(cluster), form).toBe(expected);
    for (const cluster of ['nowhere', 'DEFAULT', 'no spaces', '__proto__', 'default/x', arn('cluster/nowhere')])
      expect(await ask(cluster), cluster).toBe(noCluster);
    if (operation !== 'DeleteCluster')
      expect(await ask('gone')).toBe(`ClusterNotFoundException: The referenced cluster was inactive. ${list}`);
  });

  it('in the path of REST', async () => {
    const status = async (cluster: string) =>
      (await api.rest('GET', `/v1/clusters/${encodeURIComponent(cluster)}/tasks/${encodeURIComponent(ofTask)}`)).status;
    const ofTask = arn(`task/default/${task}`);
    expect(await status('default')).toBe(200);
    expect(await status(arn('cluster/default'))).toBe(200);
    expect(await status(arn('cluster/other'))).toBe(400);
    expect(await status('nowhere')).toBe(404);
  });

  it('that is deleted again is as it is', async () => {
    expect(await outcomeOf('DeleteCluster', { cluster: arn('cluster/gone') })).toBe('done');
  });

  it('among others that are described', async () => {
    const ask = (...clusters: string[]) => outcomeOf('DescribeClusters', { clusters });
    expect(await ask('default', arn('cluster/default'), 'gone')).toBe('done');
    expect(await ask('default', 'nowhere', arn('cluster/nowhere'), 'DEFAULT')).toBe(
      `MISSING ${arn('cluster/nowhere')}, MISSING ${arn('cluster/DEFAULT')}`,
    );
    for (const [form, [cluster, expected]] of Object.entries(strangers('cluster/default', 'clusters[1]', 'a cluster')))
      expect(await ask('default', cluster), form).toBe(expected);
    expect(await ask()).toBe('done');
    expect(await ask(...tooMany)).toBe(invalid('clusters may name at most 100.'));
  });
});

const otherCluster = (kind: string) =>
  [
    arn(`${kind}/other/${noId}`),
    invalid('Identifier is for cluster other. Your cluster is default Name the cluster of the ARN in `cluster`.'),
  ] as const;

describe('a task', () => {
  const found = () => [task, arn(`task/default/${task}`), arn(`task/${task}`)];
  /** They name nothing, each in its own way; and the ARN that failures[] has of it. */
  const unknown = () => [
    [noId, arn(`task/default/${noId}`)],
    [task.toUpperCase(), arn(`task/default/${task.toUpperCase()}`)],
    ['nonsense', arn('task/default/nonsense')],
    ['b1b2c3d4-0000-0000-0000-000000000000', arn('task/default/b1b2c3d4-0000-0000-0000-000000000000')],
    [otherTask, arn(`task/default/${otherTask}`)],
    [arn(`task/${otherTask}`), arn(`task/${otherTask}`)],
    [arn(`task/default/${noId}`), arn(`task/default/${noId}`)],
  ];

  it.each([
    ['DescribeTasks', {}, 100],
    ['GetTaskProtection', { cluster: 'default' }, 100],
    ['UpdateTaskProtection', { cluster: 'default', protectionEnabled: true }, 10],
  ])('in the list of %s', async (operation, request, most) => {
    const ask = (...tasks: string[]) => outcomeOf(operation, { ...request, tasks });
    for (const reference of found()) expect(await ask(reference), reference).toBe('done');
    for (const [reference = '', shown = ''] of unknown())
      expect(await ask(task, reference, reference), reference).toBe(`MISSING ${shown}`);
    for (const [form, [reference, expected]] of Object.entries({
      ...strangers(`task/default/${task}`, 'tasks[1]', 'a task'),
      'of another cluster': otherCluster('task'),
    }))
      expect(await ask(task, reference), form).toBe(expected);
    expect(await ask()).toBe(invalid('Tasks cannot be empty.'));
    expect(await ask(...tooMany)).toBe(invalid(`tasks may name at most ${most}.`));
  });

  it('is answered once, however often and by whatever it is named', async () => {
    const { body } = await api.wire('DescribeTasks', { tasks: [...found(), ...found()] });
    expect(startedSchema.parse(body).tasks).toHaveLength(1);
  });

  it('in StopTask', async () => {
    const ask = (reference: string) => outcomeOf('StopTask', { task: reference });
    for (const [reference = ''] of unknown())
      expect(await ask(reference), reference).toBe(invalid('The referenced task was not found.'));
    for (const [form, [reference, expected]] of Object.entries({
      ...strangers(`task/default/${task}`, 'task', 'a task'),
      'of another cluster': otherCluster('task'),
    }))
      expect(await ask(reference), form).toBe(expected);
    for (const cluster of ['other', arn('cluster/other')])
      expect(await outcomeOf('StopTask', { cluster, task: arn(`task/other/${otherTask}`) })).toBe('done');
  });
});

describe('a container instance', () => {
  const kind = 'container-instance';
  const found = () => [host.hostId, arn(`${kind}/default/${host.hostId}`), arn(`${kind}/${host.hostId}`), host.name];
  const unknown = () => [
    [noId, arn(`${kind}/default/${noId}`)],
    [host.hostId.toUpperCase(), arn(`${kind}/default/${host.hostId.toUpperCase()}`)],
    ['host-1', arn(`${kind}/default/host-1`)],
    [arn(`${kind}/default/${noId}`), arn(`${kind}/default/${noId}`)],
    [arn(`${kind}/default/Host-1`), arn(`${kind}/default/Host-1`)],
  ];
  const wrong = (field: string) =>
    Object.entries({
      ...strangers(`${kind}/default/${host.hostId}`, field, 'a container instance'),
      'of another cluster': otherCluster(kind),
    });

  it.each([
    ['DescribeContainerInstances', {}, 100],
    ['UpdateContainerInstancesState', { status: 'ACTIVE' }, 10],
    ['StartTask', { taskDefinition: 'job' }, 10],
  ])('in the list of %s', async (operation, request, most) => {
    const ask = (...containerInstances: string[]) => outcomeOf(operation, { ...request, containerInstances });
    for (const reference of found()) expect(await ask(reference), reference).toBe('done');
    for (const [reference = '', shown = ''] of unknown())
      expect(await ask(reference), reference).toBe(`MISSING ${shown}`);
    for (const [form, [reference, expected]] of wrong('containerInstances[1]'))
      expect(await ask(host.hostId, reference), form).toBe(expected);
    expect(await ask()).toBe(invalid('Container Instances cannot be empty.'));
    expect(await ask(...tooMany)).toBe(invalid(`containerInstances may name at most ${most}.`));
  });

  it('is described once, however often and by whatever it is named', async () => {
    const containerInstances = [...found(), ...found(), noId, noId];
    const { body } = await api.wire('DescribeContainerInstances', { containerInstances });
    expect(body).toMatchObject({ containerInstances: [{ hostName: 'Host-1' }], failures: [{ reason: 'MISSING' }] });
  });

  const notFound = invalid(
    'The referenced container instance was not found. ListContainerInstances shows which there are.',
  );
  it.each([
    ['DeregisterContainerInstance', {}, /Found running tasks on the instance/, notFound],
    ['UpdateContainerAgent', {}, /^NoUpdateAvailableException/, notFound],
    ['ListTasks', {}, /^done$/, 'done'],
  ])('in %s', async (operation, request, whenFound, whenNot) => {
    const ask = (containerInstance: string) => outcomeOf(operation, { ...request, containerInstance });
    for (const reference of found()) expect(await ask(reference), reference).toMatch(whenFound);
    for (const [reference = ''] of unknown()) expect(await ask(reference), reference).toBe(whenNot);
    for (const [form, [reference, expected]] of wrong('containerInstance'))
      expect(await ask(reference), form).toBe(expected);
  });

  it('narrows the list of tasks in every form, and one that there is not leaves nothing', async () => {
    const listed = async (containerInstance: string) => (await api.wire('ListTasks', { containerInstance })).body;
    for (const reference of found())
      expect(await listed(reference)).toMatchObject({
        taskArns: expect.arrayContaining([arn(`task/default/${task}`)]),
      });
    for (const [reference = ''] of unknown()) expect(await listed(reference)).toEqual({ taskArns: [] });
  });

  it.each(['PutAttributes', 'DeleteAttributes'])('as the target of %s', async (operation) => {
    const ask = (targetId: string | undefined, targetType?: string) =>
      outcomeOf(operation, { attributes: [{ name: 'a', targetId, targetType }] });
    for (const reference of found()) {
      expect(await ask(reference), reference).toBe('done');
      expect(await ask(reference, kind), reference).toBe('done');
    }
    const why = 'ListContainerInstances shows which hosts the cluster has.';
    for (const [reference = ''] of unknown())
      expect(await ask(reference), reference).toBe(
        `TargetNotFoundException: The specified target was not found. ${why}`,
      );
    for (const [form, [reference, expected]] of wrong('attributes[0].targetId'))
      expect(await ask(reference), form).toBe(expected);
    expect(await ask(undefined)).toBe(invalid('attributes[0].targetId is missing. Name a host.'));
    expect(await ask(host.hostId, 'task')).toBe(
      invalid('attributes[0].targetType must be container-instance; it is "task".'),
    );
  });
});
