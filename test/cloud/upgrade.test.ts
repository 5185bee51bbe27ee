/** Old and new together: functions are replaced, one after the other, while agents and tasks run on and clients call. */
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whenTask } from '../e2e/when-task.ts';
import { fakeCommands } from '../support/fake-runtime.ts';
import { type AwsCloud, type FunctionName, functionNames, startAwsCloud } from './aws-cloud.ts';
import { eventually, patience } from './patience.ts';
import type { StackSource } from './template/template.ts';
import { connected, startHost, type TestHost } from './test-host.ts';

const marker = 'the new bundle has started';

describe('an upgrade', patience, () => {
  let cloud: AwsCloud;
  let host: TestHost;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-upgrade-'));
    cloud = await startAwsCloud();
    host = await startHost(cloud, 'host-1', { speed: 10 });
    await connected(cloud, 'host-1');
    for (const [family, command] of [
      ['serves', fakeCommands.runsUntilStopped],
      ['ends', fakeCommands.exits(0)],
    ] as const)
      await cloud.client.call('RegisterTaskDefinition', {
        family,
        containerDefinitions: [{ name: 'main', image: 'busybox', memory: 128, command: [...command] }],
      });
  }, patience.timeout);

  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await cloud?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  }, patience.timeout);

  /** The stack with new bundles for some of its functions: as new as code can be that does the same. */
  function withNewBundles(source: StackSource, names: readonly FunctionName[]): StackSource {
    const assets = new Map(source.assets);
    const template = structuredClone(source.template);
    for (const name of names) {
      const logicalId = cloud.lambda(name).config.name.slice('Gantry-'.length);
      const code: { S3Key: string } = Object(template.Resources[logicalId]?.Properties.Code);
      const copy = join(directory, name);
      cpSync(assets.get(code.S3Key) ?? '', copy, { recursive: true });
      appendFileSync(join(copy, 'index.mjs'), `\nprocess.stderr.write(${JSON.stringify(`${marker}\n`)});\n`);
      code.S3Key = `new-${name}.zip`;
      assets.set(code.S3Key, copy);
    }
    return { template, assets };
  }

  it('disturbs no task, loses no call and leaves agents connected', async () => {
    const { client } = cloud;
    const { tasks } = await client.call('RunTask', { taskDefinition: 'serves' });
    const serving = tasks[0]?.taskArn ?? expect.fail();
    const before = await whenTask(client, 'running', serving);
    const { host: hostBefore } = await client.call('GetHost', { host: 'host-1' });

    const upgraded = new AbortController();
    const calls = callOnAndOn(cloud, upgraded.signal);
    // Hosts first and the rest later: for a while an old one and a new one share the table.
    await cloud.platform.update(withNewBundles(cloud.source, ['hosts', 'wake', 'events']));
    await eventually(() => expect(cloud.lambda('hosts').output.join('')).toContain(marker));
    await cloud.platform.update(withNewBundles(cloud.source, functionNames));
    await eventually(() => expect(cloud.lambda('api').output.join('')).toContain(marker));
    upgraded.abort();
    const ran = await calls;

    expect(ran.length).toBeGreaterThan(0);
    for (const task of ran)
      expect(await whenTask(client, 'stopped', task)).toMatchObject({ containers: [{ exitCode: 0 }] });
    const { task } = await client.call('GetTask', { cluster: 'default', task: serving });
    expect(task).toMatchObject({ lastStatus: 'RUNNING', startedAt: before.startedAt });
    const { host: hostAfter } = await client.call('GetHost', { host: 'host-1' });
    expect(hostAfter).toMatchObject({ containerInstanceArn: hostBefore.containerInstanceArn, agentConnected: true });
    expect([...host.machine.starts.values()]).toEqual(Array.from({ length: ran.length + 1 }, () => 1));
    const failed = [...cloud.world.functions.values()].flatMap(({ invocations }) =>
      invocations.filter(({ outcome }) => outcome !== 'answered'),
    );
    expect(failed).toEqual([]);
    expect(cloud.world.identities.denials).toEqual([]);
  });
});

/** Runs short tasks until it is told to stop; rejects at the first call that fails. */
async function callOnAndOn({ client }: AwsCloud, signal: AbortSignal): Promise<string[]> {
  const ran: string[] = [];
  while (!signal.aborted) {
    const { tasks } = await client.call('RunTask', { taskDefinition: 'ends' });
    ran.push(tasks[0]?.taskArn ?? expect.fail());
  }
  return ran;
}
