/** Instance metadata, which this machine reaches and no container does: in bridge and host mode, by both versions of IP. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { describeWithContainers } from '../../support/containers.ts';
import { metadataAddresses, standInForMetadata } from '../network/metadata-stand-in.ts';
import { reach } from '../network/network-peers.ts';
import { exitOf, linesOf, run } from '../runtime-driver.ts';
import { type RealHost, type RealMachine, startRealMachine } from './real-host.ts';

const { ipv4, ipv6 } = metadataAddresses;

describeWithContainers('instance metadata', () => {
  let machine: RealMachine;
  let host: RealHost;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    stack.use(await standInForMetadata());
    machine = stack.use(await startRealMachine());
    host = stack.use(await machine.host());
    // Neighbours take their time to find each other in a network that has just been made.
    const answers = async () =>
      Promise.all(
        [ipv4, ipv6].flatMap(({ metadata, other }) =>
          [metadata, other].map((address) => reach(undefined, address, 80, 2000)),
        ),
      );
    await vi.waitUntil(async () => (await answers()).every((answer) => answer.startsWith('metadata saw ')), {
      timeout: 10_000,
    });
  });
  afterAll(() => stack.disposeAsync());

  /** What a container is answered there; empty where it is not. */
  async function ask(networkMode: 'host' | 'bridge', addresses: readonly string[], user = '0'): Promise<string[]> {
    // Seconds: nothing comes from where it is out of reach, and elsewhere a slow machine may take its time.
    const patience = (address: string) => ([ipv4.metadata, ipv6.metadata].some((one) => one === address) ? 1 : 10);
    const questions = addresses.map(
      (address) => `echo "${address} $(nc -w ${patience(address)} ${address} 80 < /dev/null 2> /dev/null)"`,
    );
    const command = ['sh', '-c', questions.join('; ')];
    const driven = { runtime: host.runtime, image: machine.image };
    const taskId = await run(driven, { main: command }, { task: { networkMode }, container: { user } });
    await exitOf(host.runtime, taskId);
    await host.runtime.removeContainer(taskId, 'main');
    const lines = await linesOf(host.runtime, taskId);
    await host.runtime.removeTask(taskId);
    return lines.map(({ text }) => text.trim());
  }

  it('is out of reach of a task in bridge mode, and its neighbour is not', async () => {
    expect(await ask('bridge', [ipv4.metadata, ipv4.other, ipv6.metadata, ipv6.other])).toEqual([
      ipv4.metadata,
      expect.stringMatching(`${ipv4.other} metadata saw `),
      ipv6.metadata,
      ipv6.other, // Tasks in bridge mode have no IPv6.
    ]);
  });

  it.each(['0', '1000'])('is out of reach of a task in host mode that runs as %s', async (user) => {
    expect(await ask('host', [ipv4.metadata, ipv4.other, ipv6.metadata, ipv6.other], user)).toEqual([
      ipv4.metadata,
      expect.stringMatching(`${ipv4.other} metadata saw `),
      ipv6.metadata,
      expect.stringMatching(`${ipv6.other} metadata saw `),
    ]);
    for (const address of [ipv4.metadata, ipv6.metadata]) {
      expect(await reach(undefined, address, 80), 'the machine').toMatch(/^metadata saw /);
    }
  });
});
