/** The package as another project uses it: the command, the cloud on one machine, the construct library and the client, types and all. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsTopic } from '../../control/events/keep.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';
import { startCloud } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { installPackage, type Project, repository } from './installed.ts';

let project: Project;
beforeAll(async () => {
  project = await installPackage();
});
afterAll(() => project?.[Symbol.dispose]());

describe('the package', () => {
  it('carries what runs, and neither sources nor what nobody needs', () => {
    expect(project.packed).toEqual(
      expect.arrayContaining([
        'bin/gantry.mjs',
        'dist/agent/agent.mjs',
        'dist/lambdas/api/index.mjs',
        'examples/hello.json',
      ]),
    );
    expect(project.packed.filter((path) => /(?<!\.d)\.ts$|\.map$|^test|^bench/.test(path))).toEqual([]);
  });
});

describe('npx gantry', () => {
  it('starts', async () => {
    const { stdout } = await project.execute('npx', 'gantry', '--help');
    expect(stdout).toContain('Usage: gantry COMMAND');
  });
});

describeWithContainers('a machine with the package', () => {
  it('finds by gantry doctor that nothing is wrong', async () => {
    const { stdout } = await project.execute('npx', 'gantry', 'doctor', '--json', '--run-dir', project.directory);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, findings: expect.any(Array) });
  });

  it('brings up the control plane and an agent by gantry up', async () => {
    await using cloud = await startCloud([], join(project.directory, 'node_modules/gantry/bin/gantry.mjs'));
    const { stdout } = await cloud.gantry(['hosts', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ hosts: [{ agentConnected: true, status: 'ACTIVE' }] });
    for (const process of ['server', 'agent-host-1']) {
      const pid = readFileSync(join(cloud.runDir, `${process}.pid`), 'utf8').trim();
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('node_modules/gantry/dist/cli/');
    }
  });
});

/** The first program of its documentation. */
const [, program = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(repository, 'docs/client.md'), 'utf8')) ?? [];

/** A host whose tasks start as soon as they are there, and end as soon as they run. */
async function doWhatIsTold(api: ApiServer): Promise<Disposable> {
  const host = await api.host();
  const act = async (): Promise<void> => {
    await host.obey();
    for (const [taskId, { observation }] of host.tasks) if (observation.status === 'RUNNING') host.end(taskId);
    await host.report();
  };
  let acting = Promise.resolve();
  return api.control.deps.feed.subscribe(eventsTopic('default'), () => {
    acting = acting.then(act);
  });
}

describe('gantry/client', () => {
  it('runs the program of its documentation, with nothing but the environment', async () => {
    await using api = await startApi();
    using _ = await doWhatIsTold(api);
    writeFileSync(join(project.directory, 'client.js'), program);
    const { accessKeyId, secretAccessKey } = api.credentials;
    const env = [
      `GANTRY_ENDPOINT=${api.endpoint}`,
      `AWS_ACCESS_KEY_ID=${accessKeyId}`,
      `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    ];
    const { stdout } = await project.execute('env', ...env, 'node', 'client.js');
    expect(stdout).toMatch(/^stopped: Essential container in task exited/);
  });
});

describe('gantry/cdk', () => {
  it('makes a control plane in an app of JavaScript', async () => {
    writeFileSync(
      join(project.directory, 'app.js'),
      `
        import { App, Stack } from 'aws-cdk-lib';
        import { GantryControlPlane } from 'gantry/cdk';
        const app = new App({ outdir: 'cdk.out' });
        new GantryControlPlane(new Stack(app, 'Platform'), 'Gantry');
        app.synth();
      `,
    );
    await project.execute('node', 'app.js');
    const { Resources } = JSON.parse(readFileSync(join(project.directory, 'cdk.out/Platform.template.json'), 'utf8'));
    const types = new Set(Object.values<{ Type: string }>(Resources).map(({ Type }) => Type));
    expect([...types]).toEqual(expect.arrayContaining(['AWS::DynamoDB::Table', 'AWS::Lambda::Function']));
  });

  it('tells the compiler what it takes', async () => {
    writeFileSync(
      join(project.directory, 'app.ts'),
      `
        import { App, Stack } from 'aws-cdk-lib';
        import { GantryControlPlane, type IGantryControlPlane } from 'gantry/cdk';
        const stack = new Stack(new App(), 'Platform');
        export const controlPlane: IGantryControlPlane = new GantryControlPlane(stack, 'Gantry');
        controlPlane.grantRead satisfies (grantee: never) => unknown;
        // @ts-expect-error: there is no such prop.
        new GantryControlPlane(stack, 'Other', { noSuchProp: 1 });
      `,
    );
    writeFileSync(
      join(project.directory, 'client.ts'),
      `
        import { createClient, type GantryClient, GantryError, type Input, type Output, verifyWebhook } from 'gantry/client';
        export const client: GantryClient = createClient({ endpoint: 'http://127.0.0.1:8080', maxAttempts: 1 });
        export const input: Input<'RunTask'> = { taskDefinition: 'web', count: 2 };
        export const answer: Promise<Output<'RunTask'>> = client.runTask(input);
        export const none: Promise<{ clusterArns: string[] }> = client.listClusters();
        export async function all(signal: AbortSignal): Promise<void> {
          for await (const { taskArns } of client.pages.listTasks({ family: 'web' }, { signal })) taskArns satisfies string[];
          for await (const line of client.watchTask({ task: 't' })) if (line.kind === 'task') line.task.createdAt satisfies Date;
          for await (const { kind, headline } of client.events()) [kind, headline] satisfies string[];
          verifyWebhook({ secret: 's', headers: {}, body: '' }).data.events satisfies object[];
        }
        export const isThrottled = (error: unknown) => error instanceof GantryError && error.code === 'ThrottlingException';
        // @ts-expect-error: there is no such member.
        void client.runTask({ taskDefinition: 'web', noSuchMember: 1 });
        // @ts-expect-error: something must be run.
        void client.runTask();
        // @ts-expect-error: it has no pages.
        void client.pages.runTask;
      `,
    );
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
    const roots = ['--typeRoots', join(repository, 'node_modules/@types')];
    const tsc = join(repository, 'node_modules/.bin/tsc');
    await project.execute(tsc, ...options, ...roots, '--skipLibCheck', 'false', 'app.ts', 'client.ts');
  });
});
