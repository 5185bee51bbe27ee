/** An agent that is killed while it makes a container: the next one makes it whole, at whatever moment that was. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithContainers } from '../../support/containers.ts';
import { exitOf, prepare } from '../runtime-driver.ts';
import { type RealHost, type RealMachine, startRealMachine } from './real-host.ts';

describeWithContainers('a container whose making broke off', () => {
  let machine: RealMachine;
  let host: RealHost;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    machine = stack.use(await startRealMachine());
    host = stack.use(await machine.host());
  });
  afterAll(() => stack.disposeAsync());

  /** Of making a container, which takes some 50 ms here. */
  const moments = Array.from({ length: 20 }, (_, step) => step * 5);

  it('is made whole, and runs once', { timeout: 30_000 }, async () => {
    const exitCodes = moments.map(async (ms) => {
      const killed = await host.reopen();
      const driven = { runtime: killed, image: machine.image };
      const { taskId, spec, image } = await prepare(driven, { main: ['sh', '-c', 'exit 7'] });
      const making = killed.createContainer(spec, 'main', image).catch(() => {});
      await delay(ms);
      await killed.close();
      const next = await host.reopen();
      await next.createContainer(spec, 'main', image);
      await next.startContainer(taskId, 'main');
      const { exit } = await exitOf(next, taskId);
      await next.removeTask(taskId);
      await making;
      return exit.exitCode;
    });
    expect(await Promise.all(exitCodes)).toEqual(moments.map(() => 7));
    expect(await host.leftovers()).toEqual([]);
  });
});
