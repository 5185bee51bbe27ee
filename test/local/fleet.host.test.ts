/** The fleet of one machine with real agents: what every fleet does, and what is only its own. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { agentProcess } from '../../local/agents.ts';
import { runningPid } from '../../local/managed-process.ts';
import { describeFleet } from '../control/fleet-conformance.ts';
import { describeWithContainers } from '../support/containers.ts';
import { leftoversOf } from '../support/leftovers.ts';
import { fleetClusters, openTestFleet, type TestFleet, until } from '../support/local-fleet.ts';

const order = {
  id: 'order-1',
  cluster: 'default',
  provider: 'local',
  offers: [{ name: 'slice', zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'] }],
  market: 'on-demand' as const,
  count: 1,
};

describeWithContainers('this machine', () => {
  describeFleet(
    'its slices',
    async () => {
      const test = await openTestFleet(3);
      test.fleet.start();
      return {
        fleet: test.fleet,
        clusters: fleetClusters,
        most: 3,
        // One process has it at a time, so whoever asks at the same time is in the same.
        another: () => Promise.resolve(test.fleet),
        until,
        [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
      };
    },
    60_000,
  );

  const pidOf = ({ paths }: TestFleet, instanceId: string) => runningPid(agentProcess(paths, instanceId));

  async function launchOne(test: TestFleet): Promise<string> {
    const { instances } = await test.fleet.launch(order);
    const [host] = instances;
    if (host === undefined) throw new Error('nothing was launched');
    return host.instanceId;
  }

  it('makes a host that it answered for although it was killed at once, and takes away one that it said would go', async () => {
    await using test = await openTestFleet(2);
    const instanceId = await launchOne(test); // Not started: nothing was made of it.
    expect(pidOf(test, instanceId)).toBeUndefined();
    expect(leftoversOf(test.options)).toEqual([]);
    (await test.again()).start();
    expect(await launchOne(test)).toBe(instanceId);
    await until(() => pidOf(test, instanceId) !== undefined);
    await until(async () => (await test.fleet.list('default'))[0]?.state === 'running');

    const again = await test.again();
    await again.terminate([instanceId]);
    expect(await again.list('default')).toMatchObject([{ instanceId, state: 'ending' }]);
    expect(pidOf(test, instanceId)).toBeDefined();
    (await test.again()).start();
    await until(async () => (await test.fleet.list('default')).length === 0);
    expect(pidOf(test, instanceId)).toBeUndefined();
    expect(leftoversOf(test.options)).toEqual([]);
    expect(existsSync(test.paths.hostData(instanceId))).toBe(false);
  });

  it('keeps agents while it is away, and starts one again that was killed', async () => {
    await using test = await openTestFleet(1);
    test.fleet.start();
    const instanceId = await launchOne(test);
    await until(() => pidOf(test, instanceId) !== undefined);
    const pid = pidOf(test, instanceId) ?? 0;
    await test.again();
    expect(pidOf(test, instanceId)).toBe(pid);
    process.kill(pid, 'SIGKILL');
    await until(() => pidOf(test, instanceId) === undefined);
    test.fleet.start();
    await until(() => pidOf(test, instanceId) !== undefined);
    process.kill(pidOf(test, instanceId) ?? 0, 'SIGKILL');
    await until(() => pidOf(test, instanceId) === undefined);
    await until(() => pidOf(test, instanceId) !== undefined);
  });

  it('gives the slot of a host that has gone to the next, which has another name', async () => {
    await using test = await openTestFleet(1);
    test.fleet.start();
    const first = await launchOne(test);
    await until(() => pidOf(test, first) !== undefined);
    const namespace = (): string[] =>
      readdirSync('/run/netns').filter((name) => name.startsWith(`${test.options.name}-`));
    const before = namespace();
    expect(before).toHaveLength(1);
    await test.fleet.terminate([first]);
    await until(async () => (await test.fleet.list('default')).length === 0);
    const { instances } = await test.fleet.launch({ ...order, id: 'order-2' });
    const [second] = instances;
    expect(second?.instanceId).not.toBe(first);
    await until(() => pidOf(test, second?.instanceId ?? '') !== undefined);
    expect(namespace()).toEqual(before);
  });

  it('is had by one process at a time', async () => {
    await using test = await openTestFleet(1);
    const second = `
      import { holdDirectory } from ${JSON.stringify(import.meta.resolve('../../agent/single-instance.ts'))};
      await holdDirectory(${JSON.stringify(test.paths.fleet)}, 'fleet');`;
    const open = () => execFileSync(process.execPath, ['--input-type=module', '--eval', second], { stdio: 'pipe' });
    expect(open).toThrow('Another fleet is running with the data directory');
    await test.fleet.close();
    expect(open).not.toThrow();
    await test.again();
  });
});
