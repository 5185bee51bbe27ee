/** What the unmodified JavaScript SDK does with a cloud of three hosts, with only endpoint and keys changed. */
import {
  DescribeContainerInstancesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListContainerInstancesCommand,
  ListTasksCommand,
  paginateListTasks,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  waitUntilTasksRunning,
  waitUntilTasksStopped,
} from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { taskLeftoversOf } from '../support/leftovers.ts';
import { exitTask, webLimits, webTask } from './definitions.ts';
import type { Stage } from './stage.ts';
import { webAnswer } from './web-answer.ts';

export function javascriptSdk(stage: () => Stage): void {
  let ecs: ECSClient;

  beforeAll(() => {
    const { endpoint, credentials } = stage().cloud;
    ecs = new ECSClient({ endpoint, region: 'us-east-1', credentials });
  });

  afterAll(() => ecs?.destroy());

  const waiting = () => ({ client: ecs, maxWaitTime: 60, minDelay: 1, maxDelay: 1 });

  it('shows three hosts', async () => {
    const { containerInstanceArns } = await ecs.send(new ListContainerInstancesCommand({}));
    const { containerInstances } = await ecs.send(
      new DescribeContainerInstancesCommand({ containerInstances: containerInstanceArns }),
    );
    expect(containerInstances?.map(({ status, agentConnected }) => ({ status, agentConnected }))).toEqual(
      Array.from({ length: 3 }, () => ({ status: 'ACTIVE', agentConnected: true })),
    );
  });

  it('runs tasks that see their limits and are reachable, waits for them, and stops them', async () => {
    await ecs.send(new RegisterTaskDefinitionCommand(webTask(stage().images.busybox)));
    const { tasks = [], failures } = await ecs.send(
      new RunTaskCommand({
        taskDefinition: 'web',
        count: 3,
        placementStrategy: [{ type: 'spread', field: 'instanceId' }],
      }),
    );
    expect(failures).toEqual([]);
    const arns = tasks.map(({ taskArn = '' }) => taskArn);
    expect(new Set(tasks.map(({ containerInstanceArn }) => containerInstanceArn)).size).toBe(3);

    await waitUntilTasksRunning(waiting(), { tasks: arns });
    const running = await ecs.send(new DescribeTasksCommand({ tasks: arns }));
    expect(running.tasks).toHaveLength(3);
    for (const task of running.tasks ?? []) {
      const { bindIP, hostPort } = task.containers?.[0]?.networkBindings?.[0] ?? {};
      expect(await webAnswer(`http://${bindIP}:${hostPort}/limits`)).toMatch(webLimits);
    }

    const listed: string[] = [];
    for await (const page of paginateListTasks({ client: ecs, pageSize: 2 }, {})) listed.push(...(page.taskArns ?? []));
    expect(listed.toSorted()).toEqual(arns.toSorted());

    for (const task of arns) await ecs.send(new StopTaskCommand({ task, reason: 'enough' }));
    await waitUntilTasksStopped(waiting(), { tasks: arns });
    const stopped = await ecs.send(new DescribeTasksCommand({ tasks: arns }));
    expect(
      stopped.tasks?.map(({ stopCode, stoppedReason, containers }) => [
        stopCode,
        stoppedReason,
        containers?.[0]?.exitCode,
      ]),
    ).toEqual(arns.map(() => ['UserInitiated', 'enough', 0]));
    expect((await ecs.send(new ListTasksCommand({}))).taskArns).toEqual([]);
    expect(taskLeftoversOf(stage().cloud)).toEqual([]);
  });

  it('tells the exit code of a task that ended by itself', async () => {
    await ecs.send(new RegisterTaskDefinitionCommand(exitTask(stage().images.busybox, 3)));
    const { tasks = [] } = await ecs.send(new RunTaskCommand({ taskDefinition: 'exit-3' }));
    const arns = tasks.map(({ taskArn = '' }) => taskArn);
    await waitUntilTasksStopped(waiting(), { tasks: arns });
    const [task] = (await ecs.send(new DescribeTasksCommand({ tasks: arns }))).tasks ?? [];
    expect(task).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [{ exitCode: 3, lastStatus: 'STOPPED' }],
    });
  });
}
