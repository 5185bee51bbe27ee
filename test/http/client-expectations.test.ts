/**
 * What real ECS clients read, match and assume: a test for each expectation, with its number in the survey that they come from; here those
 * on what is always there and on tasks (the others: client-expectations-of-definitions.test.ts). Through AWS' own client, and on the wire
 * itself where only that shows it. That a real container's clean end has exit code 0 and no reason, and that the tools themselves go on,
 * is shown with containers: test/e2e/javascript-sdk.ts, test/e2e/aws-cli.ts, `npm run test:clients`.
 */
import * as sdk from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { instanceGone, retireHost } from '../../control/hosts/retire.ts';
import { stopCodeSchema, taskStatusSchema } from '../../core/model/task.ts';
import { changeObservation } from '../cli/support/scene.ts';
import { ScriptedHost } from '../control/support/scripted-host.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

const { DescribeTasksCommand, RegisterTaskDefinitionCommand, RunTaskCommand } = sdk;

let api: ApiServer;
let host: ScriptedHost;
let ecs: sdk.ECSClient;
const none = 'a'.repeat(32);
const container = { name: 'app', image: 'busybox', memory: 64 };

beforeAll(async () => {
  api = await startApi();
  host = await api.host({ cpuUnits: 4096, memoryMib: 4096 });
  ecs = api.ecs();
  await register('job');
});
afterAll(() => api[Symbol.asyncDispose]());

async function register(family: string, members: Partial<sdk.RegisterTaskDefinitionCommandInput> = {}) {
  const input = { family, containerDefinitions: [container], ...members };
  const { taskDefinition } = await ecs.send(new RegisterTaskDefinitionCommand(input));
  return taskDefinition;
}

const run = async (members: Partial<sdk.RunTaskCommandInput> = {}): Promise<string> => {
  const { tasks } = await ecs.send(new RunTaskCommand({ taskDefinition: 'job', launchType: 'EC2', ...members }));
  return tasks?.[0]?.taskArn ?? '';
};
const idOf = (arn: string): string => arn.split('/').at(-1) ?? '';
const taskOf = async (arn: string): Promise<sdk.Task | undefined> =>
  (await ecs.send(new DescribeTasksCommand({ tasks: [arn], include: ['TAGS'] }))).tasks?.[0];

/** As of an EC2 instance that is gone. */
const retirement = (how: 'stopped' | 'terminated') =>
  ({ reason: instanceGone('i-0123456789abcdef0', how), stopCode: 'TerminationNotice' }) as const;

/** A task that ran, and ended by itself. */
async function ended(exitCode: number): Promise<string> {
  const arn = await run();
  await host.obey();
  host.end(idOf(arn), exitCode);
  await host.report();
  return arn;
}

/** By their paths: the members of an answer that are null, or an empty text where it is not somebody's own. */
function emptyMembers(value: unknown, path = ''): string[] {
  if (value === null || value === '') return [path];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) => emptyMembers(member, `${path}.${name}`));
}

describe('what is always there', () => {
  it('1: lists are there where they are empty, and members without a value are not', async () => {
    await ended(0);
    const calls: readonly (readonly [string, object, object])[] = [
      ['RunTask', { taskDefinition: 'job' }, { tasks: [{}], failures: [] }],
      ['RunTask', { taskDefinition: 'job', launchType: 'EC2', overrides: { memory: '99999' } }, { tasks: [] }],
      ['DescribeTasks', { tasks: [none] }, { tasks: [] }],
      ['ListTasks', { family: 'nothing' }, { taskArns: [] }],
      ['DescribeClusters', { clusters: [] }, { clusters: [{}], failures: [] }],
      ['DescribeContainerInstances', { containerInstances: [host.hostId] }, { failures: [] }],
      ['ListContainerInstances', { status: 'DRAINING' }, { containerInstanceArns: [] }],
      ['DescribeCapacityProviders', {}, { capacityProviders: [], failures: [] }],
      ['ListAttributes', { targetType: 'container-instance', attributeName: 'x' }, { attributes: [] }],
      ['ListTaskDefinitions', { familyPrefix: 'nothing' }, { taskDefinitionArns: [] }],
      ['ListAccountSettings', {}, { settings: [] }],
      ['GetTaskProtection', { cluster: 'default', tasks: [none] }, { protectedTasks: [] }],
    ];
    for (const [operation, input, expected] of calls) {
      const { status, body } = await api.wire(operation, input);
      expect([status, body], operation).toMatchObject([200, expected]);
      expect(emptyMembers(body), operation).toEqual([]);
    }
  });

  it('2: what is not there is MISSING in an answer, not an error', async () => {
    for (const [operation, input] of [
      ['DescribeTasks', { tasks: [none] }],
      ['DescribeContainerInstances', { containerInstances: [none] }],
      ['DescribeClusters', { clusters: ['nowhere'] }],
      ['DescribeCapacityProviders', { capacityProviders: ['nothing'] }],
    ] as const)
      expect(await api.wire(operation, input), operation).toMatchObject({
        status: 200,
        body: { failures: [{ arn: expect.stringMatching(/^arn:aws:ecs:/), reason: 'MISSING' }] },
      });
    const waiting = { client: ecs, maxWaitTime: 20 };
    await expect(sdk.waitUntilTasksRunning(waiting, { tasks: [none] })).rejects.toThrow(/FAILURE/);
  });

  it('3: ARNs and names are there from the first answer on', async () => {
    const { tasks } = await ecs.send(new RunTaskCommand({ taskDefinition: 'job', count: 2 }));
    for (const task of [...(tasks ?? []), await taskOf(await ended(0))])
      expect(task).toMatchObject({
        taskArn: expect.stringMatching(/:task\/default\/\w{32}$/),
        clusterArn: expect.stringMatching(/:cluster\/default$/),
        attachments: [],
        containers: [{ name: 'app', containerArn: expect.stringMatching(/:container\/default\//) }],
      });
  });

  it('4: tags that were asked for are a list, also where there are none', async () => {
    const tags: unknown[] = [];
    const task = await run();
    tags.push((await taskOf(task))?.tags);
    const include: ['TAGS'] = ['TAGS'];
    const instances = { containerInstances: [host.hostId], include };
    tags.push((await ecs.send(new sdk.DescribeContainerInstancesCommand(instances))).containerInstances?.[0]?.tags);
    tags.push((await ecs.send(new sdk.DescribeClustersCommand({ include }))).clusters?.[0]?.tags);
    tags.push((await ecs.send(new sdk.DescribeTaskDefinitionCommand({ taskDefinition: 'job', include }))).tags);
    tags.push((await ecs.send(new sdk.ListTagsForResourceCommand({ resourceArn: task }))).tags);
    expect(tags).toEqual([[], [], [], [], []]);
  });
});

describe('a task', () => {
  it.each([0, 3])('5 and 6: has the exit code %i, and no reason, of a container that ended', async (exitCode) => {
    const { body } = await api.wire('DescribeTasks', { tasks: [await ended(exitCode)] });
    expect(body).toMatchObject({
      tasks: [{ lastStatus: 'STOPPED', containers: [{ lastStatus: 'STOPPED', exitCode }] }],
    });
    expect(body).not.toHaveProperty('tasks[0].containers[0].reason');
  });

  it('7: has no container that is PENDING once it is STOPPED, wherever it was until then', async () => {
    // It waits for a host; a host has it and has not begun; its host is gone.
    const waiting = await run({ launchType: undefined, overrides: { memory: '99999' } });
    const placed = await run();
    for (const task of [waiting, placed]) await ecs.send(new sdk.StopTaskCommand({ task }));
    await host.obey();
    const other = await api.host({ name: 'gone', memoryMib: 8000 });
    const lost = await run({ overrides: { memory: '7000' } });
    await other.fetch();
    await retireHost(api.control.deps, other.hostId, retirement('stopped'));
    for (const arn of [waiting, placed, lost])
      expect(await taskOf(arn)).toMatchObject({ lastStatus: 'STOPPED', containers: [{ lastStatus: 'STOPPED' }] });
  });

  it('8: has no other status and no other stop code than those of ECS, and its own for one that never started', async () => {
    expect(taskStatusSchema.options).toEqual(
      'PROVISIONING PENDING ACTIVATING RUNNING DEACTIVATING STOPPING DEPROVISIONING STOPPED'.split(' '),
    );
    expect(stopCodeSchema.options.toSorted()).toEqual(Object.values(sdk.TaskStopCode).toSorted());
    const arn = await run();
    await host.fetch();
    host.end(idOf(arn));
    changeObservation(host, idOf(arn), () => ({
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'Task failed to start',
    }));
    await host.report();
    expect(await taskOf(arn)).toMatchObject({ stopCode: 'TaskFailedToStart' });
  });

  it('10: is listed as soon as RunTask has answered', async () => {
    const startedBy = 'reattach-1';
    const arns = [
      await run({ startedBy }),
      await run({ startedBy, launchType: undefined, overrides: { cpu: '99999' } }),
    ];
    const { taskArns } = await ecs.send(new sdk.ListTasksCommand({ startedBy, desiredStatus: 'RUNNING' }));
    expect(taskArns?.toSorted()).toEqual(arns.toSorted());
  });

  it('11: is answered again for the same token, and is a conflict for another request', async () => {
    const request = { clientToken: 'one', startedBy: 'a' };
    const arn = await run(request);
    expect(await run(request)).toBe(arn);
    await expect(run({ ...request, startedBy: 'b' })).rejects.toMatchObject({
      name: 'ConflictException',
      resourceIds: [arn],
    });
  });

  it('12: takes sizes at both levels: numbers of a container, texts of the task', async () => {
    const overrides = { cpu: '256', memory: '128', containerOverrides: [{ name: 'app', cpu: 128, memory: 96 }] };
    expect(await taskOf(await run({ overrides }))).toMatchObject({
      cpu: '256',
      memory: '128',
      overrides,
      containers: [{ cpu: '128', memory: '96' }],
    });
  });
});

describe('9: the words that clients match', () => {
  it.each(['stopped', 'terminated'] as const)('of an instance that was %s', async (how) => {
    const other = await api.host({ name: `was-${how}`, memoryMib: 8000 });
    const arn = await run({ overrides: { memory: '7000' } });
    await other.obey();
    await retireHost(api.control.deps, other.hostId, retirement(how));
    expect((await taskOf(arn))?.stoppedReason).toMatch(/^Host EC2 \(instance .+?\) (stopped|terminated)\.$/);
  });

  it('of what has no room, and of an agent that is not there', async () => {
    const failureOf = async (overrides: sdk.TaskOverride) => {
      const request = { taskDefinition: 'job', launchType: 'EC2', overrides } as const;
      return (await ecs.send(new RunTaskCommand(request))).failures?.[0]?.reason;
    };
    expect(await failureOf({ memory: '99999' })).toContain('RESOURCE:MEMORY');
    expect(await failureOf({ cpu: '99999' })).toContain('RESOURCE:CPU');
    const request = { taskDefinition: 'job', launchType: 'EC2', cluster: 'silent' };
    await ecs.send(new sdk.CreateClusterCommand({ clusterName: 'silent' }));
    expect((await api.wire('RunTask', request)).body).toMatchObject({
      __type: 'InvalidParameterException',
      message: expect.stringContaining('No Container Instances were found in your cluster.'),
    });
    const token = await api.control.joinTokens.create({ cluster: 'silent', reusable: false });
    await new ScriptedHost(api.control, { cluster: 'silent' }).register(token);
    expect((await api.wire('RunTask', request)).body).toMatchObject({ failures: [{ reason: 'AGENT' }] });
  });

  it('of an unknown task, an inactive definition and an unknown cluster', async () => {
    await register('retired');
    await ecs.send(new sdk.DeregisterTaskDefinitionCommand({ taskDefinition: 'retired:1' }));
    const refusals: readonly (readonly [string, object, string, RegExp])[] = [
      ['StopTask', { task: none }, 'InvalidParameterException', /task was not found/],
      ['RunTask', { taskDefinition: 'retired:1' }, 'ClientException', /TaskDefinition is inactive/],
      ['RunTask', { taskDefinition: 'nothing' }, 'ClientException', /TaskDefinition not found/],
      ['RunTask', { taskDefinition: 'job', cluster: 'nowhere' }, 'ClusterNotFoundException', /Cluster not found/],
    ];
    for (const [operation, input, __type, message] of refusals)
      expect((await api.wire(operation, input)).body).toEqual({ __type, message: expect.stringMatching(message) });
  });

  // The sentences themselves are the agent's: test/agent/images/registry.test.ts has `i/o timeout` and `EOF` in them.
  it('of an image that could not be pulled, as the reason of the task too', async () => {
    const arn = await run();
    await host.fetch();
    const reason = 'CannotPullContainerError: registry.test did not answer (i/o timeout)';
    host.end(idOf(arn));
    changeObservation(host, idOf(arn), ({ containers }) => ({
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'Task failed to start',
      containers: containers.map((container) => ({ ...container, exitCode: undefined, reason })),
    }));
    await host.report();
    expect(await taskOf(arn)).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: `Task failed to start: ${reason}`,
      containers: [{ reason }],
    });
  });
});
