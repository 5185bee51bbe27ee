/** The part of the path that is about task definitions and tasks. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { arn, cluster, type Life, none } from './life.ts';

const tags = [{ key: 'team', value: 'a' }];
const startedSchema = z.object({ tasks: z.array(z.object({ taskArn: z.string() })), failures: z.array(z.never()) });
const listedSchema = z.object({ taskArns: z.array(z.string()) });

export function lifeOfTasks(life: () => Life): void {
  it('registers, describes, lists and tags task definitions', async () => {
    const container = { name: 'app', image: 'busybox', memory: 64, command: ['sh', '-c', 'sleep "1"'] };
    const definition = { family: 'job', networkMode: 'bridge', cpu: '128', memory: '64' };
    for (const revision of [1, 2])
      expect(
        await life().call('RegisterTaskDefinition', { ...definition, containerDefinitions: [container], tags }),
      ).toMatchObject({ taskDefinition: { family: 'job', revision }, tags });
    await life().call('RegisterTaskDefinition', {
      ...definition,
      family: 'journal',
      containerDefinitions: [container],
    });
    expect(await life().call('DescribeTaskDefinition', { taskDefinition: 'job', include: ['TAGS'] })).toMatchObject({
      taskDefinition: { ...definition, revision: 2, containerDefinitions: [container] },
      tags,
    });
    expect(await life().list('ListTaskDefinitions', { familyPrefix: 'job', sort: 'DESC' })).toMatchObject({
      taskDefinitionArns: [arn('task-definition/job:2'), arn('task-definition/job:1')],
    });
    expect(await life().list('ListTaskDefinitionFamilies', { familyPrefix: 'jo', status: 'ACTIVE' })).toMatchObject({
      families: ['job', 'journal'],
    });
    const resourceArn = arn('task-definition/job:2');
    await life().call('TagResource', { resourceArn, tags: [{ key: 'stage', value: 'x y' }] });
    await life().call('UntagResource', { resourceArn, tagKeys: ['team'] });
    expect(await life().call('ListTagsForResource', { resourceArn })).toMatchObject({
      tags: [{ key: 'stage', value: 'x y' }],
    });
  });

  it('runs tasks with overrides, and finds them by every filter', async () => {
    const overrides = {
      containerOverrides: [
        { name: 'app', command: ['echo', 'hi'], environment: [{ name: 'A', value: 'b' }], memory: 32 },
      ],
    };
    const ran = await life().call('RunTask', {
      cluster,
      taskDefinition: 'job',
      count: 2,
      overrides,
      startedBy: 'someone',
      group: 'batch',
      referenceId: 'ticket-1',
      launchType: 'EC2',
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:ecs.os-type == linux' }],
      placementStrategy: [{ type: 'binpack', field: 'memory' }],
      enableECSManagedTags: true,
      propagateTags: 'TASK_DEFINITION',
      tags: [{ key: 'job', value: '7' }],
    });
    expect(ran).toMatchObject({ tasks: [{ lastStatus: 'PENDING', group: 'batch' }, {}], failures: [] });
    life().tasks.push(...startedSchema.parse(ran).tasks.map(({ taskArn }) => taskArn));
    const started = await life().call('StartTask', {
      cluster,
      taskDefinition: 'journal',
      containerInstances: [life().host.hostId],
    });
    life().tasks.push(...startedSchema.parse(started).tasks.map(({ taskArn }) => taskArn));
    const { host, tasks } = life();
    const [first, , third] = tasks;
    await host.obey();
    await life().wait('tasks-running', { cluster, tasks });
    expect(await life().call('DescribeTasks', { cluster, tasks: [first, none], include: ['TAGS'] })).toMatchObject({
      tasks: [
        {
          taskArn: first,
          lastStatus: 'RUNNING',
          startedBy: 'someone',
          overrides,
          containers: [{ name: 'app', lastStatus: 'RUNNING' }],
          tags: expect.arrayContaining([
            { key: 'job', value: '7' },
            { key: 'stage', value: 'x y' },
            { key: 'aws:ecs:clusterName', value: cluster },
          ]),
        },
      ],
      failures: [{ arn: arn(`task/life/${none}`), reason: 'MISSING' }],
    });
    const found = async (filter: object) =>
      listedSchema.parse(await life().list('ListTasks', { cluster, ...filter })).taskArns.toSorted();
    expect(await found({})).toEqual(tasks.toSorted());
    expect(await found({ startedBy: 'someone', desiredStatus: 'RUNNING' })).toEqual(tasks.slice(0, 2).toSorted());
    expect(await found({ family: 'journal' })).toEqual([third]);
    expect(await found({ containerInstance: host.hostId, launchType: 'EC2' })).toEqual(tasks.toSorted());
  });

  it('protects, tags and stops tasks, and waits for their end', async () => {
    const { host, tasks } = life();
    const [first] = tasks;
    const some = { cluster, tasks: [first, none] };
    expect(
      await life().call('UpdateTaskProtection', { ...some, protectionEnabled: true, expiresInMinutes: 5 }),
    ).toMatchObject({
      protectedTasks: [{ taskArn: first, protectionEnabled: true, expirationDate: expect.anything() }],
      failures: [{ reason: 'MISSING' }],
    });
    await life().call('UpdateTaskProtection', { ...some, protectionEnabled: false });
    expect(await life().call('GetTaskProtection', some)).toMatchObject({
      protectedTasks: [{ protectionEnabled: false }],
    });
    await life().call('TagResource', { resourceArn: first, tags: [{ key: 'late', value: '' }] });
    expect(await life().call('ListTagsForResource', { resourceArn: first })).toMatchObject({
      tags: expect.arrayContaining([{ key: 'late', value: '' }]),
    });
    for (const task of tasks)
      expect(await life().call('StopTask', { cluster, task, reason: 'that is enough' })).toMatchObject({
        task: { desiredStatus: 'STOPPED' },
      });
    await host.obey();
    await life().wait('tasks-stopped', { cluster, tasks });
    expect(await life().call('DescribeTasks', { cluster, tasks: [first] })).toMatchObject({
      tasks: [
        {
          lastStatus: 'STOPPED',
          stopCode: 'UserInitiated',
          stoppedReason: 'that is enough',
          containers: [{ lastStatus: 'STOPPED', exitCode: 143 }],
        },
      ],
    });
    const stopped = listedSchema.parse(await life().list('ListTasks', { cluster, desiredStatus: 'STOPPED' }));
    expect(stopped.taskArns.toSorted()).toEqual(tasks.toSorted());
  });
}
