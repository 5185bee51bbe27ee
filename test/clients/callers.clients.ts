/** Tools that people start ECS tasks with, unmodified: each takes a real container to its end, and each sees that one failed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { whenTask } from '../e2e/when-task.ts';
import { type CloudHandle, type CommandResult, run, startCloud } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { startTestImages, type TestImages } from '../support/test-images.ts';
import { environmentFor } from './environment.ts';
import { pythonProgram } from './programs.ts';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** What a tool's program prints in its last line. */
const lastLine = ({ stdout, stderr }: CommandResult): unknown => JSON.parse(stdout.trim().split('\n').at(-1) || stderr);

describeWithContainers('on one machine', () => {
  const started = new AsyncDisposableStack();
  let images: TestImages;
  let cloud: CloudHandle;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    images = started.use(await startTestImages());
    cloud = started.use(await startCloud());
    const home = mkdtempSync(join(tmpdir(), 'gantry-clients-'));
    started.defer(() => rmSync(home, { recursive: true, force: true }));
    env = { ...environmentFor({ ...cloud, region: 'us-east-1' }), HOME: home, AIRFLOW_HOME: join(home, 'airflow') };
    for (const code of [0, 3]) await register(code);
  });
  afterAll(() => started.disposeAsync());

  /** Whatever command it is given: Dagster's would need Dagster in the image. */
  const register = (code: number) =>
    cloud.client.call('RegisterTaskDefinition', {
      family: `exit-${code}`,
      containerDefinitions: [
        {
          name: 'run',
          image: images.busybox,
          memory: 32,
          entryPoint: ['sh', '-c', `echo "leaving with ${code} of $FROM"; exit ${code}`],
        },
      ],
    });
  const newestTask = async (startedBy: string) => {
    const { tasks } = await cloud.client.call('GetTasks', { startedBy, limit: 1 });
    return whenTask(cloud.client, 'stopped', tasks[0]?.taskArn ?? '');
  };

  describe('ecs-deploy', () => {
    const ecs = (...args: string[]) => run(pythonProgram('boto3', 'ecs'), args, env);

    it.each([0, 3])('runs a task that ends with %i', async (code) => {
      const ran = await ecs('run', 'default', `exit-${code}`, '-e', 'run', 'FROM', 'ecs-deploy', '--task-cpu', '128');
      expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('Successfully started 1 instances') });
      const task = await newestTask('ECS Deploy');
      expect(ran.stdout).toContain(task.taskArn);
      expect(task).toMatchObject({
        cpu: '128',
        containers: [{ exitCode: code, lastLogLines: [{ text: `leaving with ${code} of ecs-deploy` }] }],
      });
    });

    it('registers again what it read, and deregisters the old', async () => {
      await register(0);
      const updated = await ecs('update', 'exit-0', '-e', 'run', 'FROM', 'an update', '-c', 'run', 'again');
      expect(updated).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Successfully deregistered revision: 2'),
      });
      expect(await ecs('diff', 'exit-0', '2', '3')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^add: containers\.run\n {4}\+ command: .*\n/m),
      });
    });

    it('shows why a task is not run', async () => {
      expect(await ecs('run', 'default', 'nothing')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('Unknown task definition arn: nothing'),
      });
      expect(await ecs('run', 'nowhere', 'exit-0')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('ClusterNotFoundException'),
      });
      expect(await ecs('deploy', 'default', 'web')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('UnsupportedFeatureException'),
      });
    });
  });

  describe("Airflow's EcsRunTaskOperator", () => {
    const airflow = (family: string) =>
      run(pythonProgram('airflow', 'python'), [here('run-in-airflow.py'), family], env);

    it('runs a task to its end', async () => {
      expect(lastLine(await airflow('exit-0'))).toEqual({ succeeded: true });
      expect(await newestTask('airflow')).toMatchObject({
        tags: [{ key: 'from', value: 'airflow' }],
        containers: [{ exitCode: 0, lastLogLines: [{ text: 'leaving with 0 of airflow' }] }],
      });
    });

    it('fails where the container fails, and where it never starts', async () => {
      expect(lastLine(await airflow('exit-3'))).toEqual({
        failed: 'AirflowException',
        message: expect.stringMatching(/^This task is not in success state .*'exitCode': 3/),
      });
      await cloud.client.call('RegisterTaskDefinition', {
        family: 'no-image',
        containerDefinitions: [{ name: 'run', image: `${images.busybox}-missing`, memory: 32 }],
      });
      expect(lastLine(await airflow('no-image'))).toEqual({
        failed: 'EcsTaskFailToStart',
        message: expect.stringMatching(/^The task failed to start due to: Task failed to start: CannotPull\w+Error: /),
      });
    });
  });

  describe("Dagster's EcsRunLauncher", () => {
    const resultSchema = z.object({
      status: z.string(),
      message: z.string().nullable(),
      tags: z.object({ 'ecs/task_arn': z.string(), 'ecs/cluster': z.string() }),
    });
    const dagster = async (family: string) =>
      resultSchema.parse(
        lastLine(await run(pythonProgram('dagster', 'python'), [here('run-in-dagster.py'), family], env)),
      );

    it('runs a task to its end, with what it says of its run', async () => {
      const { status, tags } = await dagster('exit-0');
      expect(status).toBe('SUCCESS');
      const { task } = await cloud.client.call('GetTask', { task: tags['ecs/task_arn'] });
      expect(task).toMatchObject({
        clusterArn: tags['ecs/cluster'],
        cpu: '128',
        memory: '32',
        tags: expect.arrayContaining([
          { key: 'dagster/job_name', value: 'work' },
          { key: 'team', value: 'a' },
        ]),
        containers: [{ exitCode: 0 }],
      });
    });

    it('sees that its worker failed, and why', async () => {
      const { status, message } = await dagster('exit-3');
      expect(status).toBe('FAILED');
      expect(message).toContain('Stop code: EssentialContainerExited.');
      expect(message).toContain("Container 'run' failed - exit code 3.");
    });
  });

  it("Prefect's ECS worker registers one revision for runs alike, and stops a task", async () => {
    const program = [here('run-in-prefect.py'), images.busybox, `sh -c 'echo "from $FROM"; sleep 1; exit 3'`];
    const { tasks, cancelled, gone } = z
      .object({ tasks: z.array(z.string()), cancelled: z.string(), gone: z.string() })
      .parse(lastLine(await run(pythonProgram('prefect', 'python'), program, env)));
    expect(gone).toBe('InfrastructureNotFound');
    const whenStopped = (identifier: string) => whenTask(cloud.client, 'stopped', identifier.replace(/^default::/, ''));
    for (const identifier of tasks)
      expect(await whenStopped(identifier)).toMatchObject({
        taskDefinitionArn: expect.stringMatching(/\/from-prefect:1$/),
        containers: [{ exitCode: 3, lastLogLines: [{ text: 'from prefect' }] }],
      });
    expect(await whenStopped(cancelled)).toMatchObject({ stoppedReason: 'Stopped by Prefect worker' });
  });
});
