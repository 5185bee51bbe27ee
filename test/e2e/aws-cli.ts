/** What the unmodified AWS CLI, as Debian packages it, does with a cloud of three hosts, with only endpoint and keys changed. */
import { expect, it } from 'vitest';
import { type CommandResult, run } from '../support/cloud.ts';
import { taskLeftoversOf } from '../support/leftovers.ts';
import { webLimits, webTask } from './definitions.ts';
import type { Stage } from './stage.ts';
import { webAnswer } from './web-answer.ts';

/** By its path: `aws` may be another version elsewhere on PATH. */
const awsCli = '/usr/bin/aws';

export function awsCommandLine(stage: () => Stage): void {
  const tryAws = (...args: string[]): Promise<CommandResult> =>
    run(awsCli, ['ecs', ...args, '--endpoint-url', stage().cloud.endpoint, '--output', 'json'], {
      ...stage().cloud.env,
      AWS_PAGER: '',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    });

  async function aws(...args: string[]) {
    const { code, stdout, stderr } = await tryAws(...args);
    expect(code, stderr).toBe(0);
    return stdout === '' ? undefined : JSON.parse(stdout);
  }

  it('registers, runs, describes, lists, waits for and stops tasks', async () => {
    const definition = { ...webTask(stage().images.busybox), family: 'from-the-cli' };
    const { taskDefinition } = await aws('register-task-definition', '--cli-input-json', JSON.stringify(definition));
    expect(taskDefinition).toMatchObject({ family: 'from-the-cli', revision: 1, status: 'ACTIVE' });

    const ran = await aws('run-task', '--task-definition', 'from-the-cli', '--count', '2', '--started-by', 'a-person');
    expect(ran.failures).toEqual([]);
    const arns: string[] = ran.tasks.map(({ taskArn }: { taskArn: string }) => taskArn);
    expect(arns).toHaveLength(2);

    await aws('wait', 'tasks-running', '--tasks', ...arns);
    const { tasks } = await aws('describe-tasks', '--tasks', ...arns);
    for (const { lastStatus, containers } of tasks) {
      expect(lastStatus).toBe('RUNNING');
      const { bindIP, hostPort } = containers[0].networkBindings[0];
      expect(await webAnswer(`http://${bindIP}:${hostPort}/limits`)).toMatch(webLimits);
    }
    expect((await aws('list-tasks', '--started-by', 'a-person')).taskArns.toSorted()).toEqual(arns.toSorted());

    for (const task of arns) await aws('stop-task', '--task', task, '--reason', 'enough');
    await aws('wait', 'tasks-stopped', '--tasks', ...arns);
    const stopped = await aws('describe-tasks', '--tasks', ...arns);
    for (const task of stopped.tasks)
      expect(task).toMatchObject({
        lastStatus: 'STOPPED',
        stopCode: 'UserInitiated',
        stoppedReason: 'enough',
        containers: [{ exitCode: 0 }],
      });
    expect(taskLeftoversOf(stage().cloud)).toEqual([]);
  });

  it('shows errors as it shows those of ECS', async () => {
    const { code, stderr } = await tryAws('run-task', '--task-definition', 'never-registered');
    expect(code).toBe(254);
    expect(stderr).toContain(
      'An error occurred (ClientException) when calling the RunTask operation: TaskDefinition not found.',
    );
  });
}
