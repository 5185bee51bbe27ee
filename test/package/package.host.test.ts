/** The package as another project uses it: the command, the cloud on one machine, and the construct library, types and all. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
    const roots = ['--typeRoots', join(repository, 'node_modules/@types')];
    const tsc = join(repository, 'node_modules/.bin/tsc');
    await project.execute(tsc, ...options, ...roots, '--skipLibCheck', 'false', 'app.ts');
  });
});
