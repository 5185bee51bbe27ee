/** `gantry images`: what tasks have reported, and what a host says that is asked; one of the two hosts has no channel. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostSocket } from '../../control/hosts/channel-hub.ts';
import type { AgentFrame } from '../../core/host-protocol.ts';
import type { HostImage } from '../../core/model/host-image.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { type Desk, openDesk } from './support/desk.ts';
import { changeObservation, runOne } from './support/scene.ts';
import { transcript } from './support/transcript.ts';

const styles = { terminal: { columns: 140 }, plain: {}, json: { columns: 140 } } as const;
const digestOf = (letter: string): string => `sha256:${letter.repeat(64)}`;

let desk: Desk;
let hosts: ScriptedHost[];

/** The host that was given the task reports what it pulled for it. */
async function pulled(id: string, imageDigest: string, ends = false): Promise<void> {
  for (const host of hosts) {
    await host.obey();
    if (!host.tasks.has(id)) continue;
    if (ends) host.end(id);
    changeObservation(host, id, ({ containers, sequence }) => ({
      sequence: sequence + 1,
      containers: containers.map((container) => ({ ...container, imageDigest })),
    }));
    await host.report();
  }
}

/** Answers for host-1, as its agent would: what its tasks use, and one that none does. */
class HostSocketOfAgent implements HostSocket {
  #message: (text: string) => void = () => {};

  send(text: string): void {
    const { stream } = JSON.parse(text);
    const images: HostImage[] = [
      { names: ['docker.io/library/busybox:latest'], digest: digestOf('a'), sizeBytes: 2_200_000, taskIds: [] },
      { names: ['registry.example.com/unused:1'], digest: digestOf('c'), sizeBytes: 64_000_000, taskIds: [] },
    ];
    const frames: AgentFrame[] = [
      { kind: 'images', stream, images },
      { kind: 'end', stream },
    ];
    for (const frame of frames) this.#message(JSON.stringify(frame));
  }
  onMessage(listener: (text: string) => void): void {
    this.#message = listener;
  }
  onClose(): void {}
  close(): void {}
  pause(): void {}
  resume(): void {}
}

beforeAll(async () => {
  desk = await openDesk();
  hosts = [];
  for (const name of ['host-1', 'host-2']) hosts.push(await desk.world.host({ name, attributes: { place: name } }));
  desk.world.control.hub.attachChannel(hosts[0]?.hostId ?? '', new HostSocketOfAgent());
  await desk.world.register('old');
  await pulled(await runOne(desk, 'old'), digestOf('0'), true);
  desk.world.advance(2 * 3600);
  await desk.world.register('job');
  await desk.world.register('web');
  const on = (name: string) => ({
    placementConstraints: [{ type: 'memberOf', expression: `attribute:place == ${name}` }],
  });
  await pulled(await runOne(desk, 'job', on('host-1')), digestOf('a'), true);
  await pulled(await runOne(desk, 'web', on('host-1')), digestOf('a'));
  // The tag was moved in between.
  await pulled(await runOne(desk, 'web', on('host-2')), digestOf('b'));
  await desk.world.register('huge', { memory: 99_999 });
  await runOne(desk, 'huge');
});
afterAll(() => desk[Symbol.asyncDispose]());

describe('images', () => {
  const commands: Record<string, readonly string[]> = {
    images: ['images'],
    'images of nothing': ['images', '--family', 'huge'],
  };
  for (const [name, words] of Object.entries(commands))
    it.each(Object.entries(styles))(`${name}, %s`, async (style, options) => {
      const argv = [...words, ...(style === 'json' ? ['--json'] : [])];
      const ended = await desk.gantry(argv, options);
      await expect(transcript(argv.join(' '), ended)).toMatchFileSnapshot(`./golden/${name} - ${style}.txt`);
    });

  it('of a host that is not there are refused', async () => {
    expect(await desk.gantry(['images', '--host', 'host-9'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('The cluster default has no host host-9.'),
    });
  });

  it('are those of a host, of a family, or all that are known', async () => {
    const digests = async (...options: string[]): Promise<string[]> =>
      JSON.parse((await desk.gantry(['images', '--json', ...options])).stdout).images.map(
        ({ imageDigest }: { imageDigest: string }) => imageDigest,
      );
    expect(await digests('--host', 'host-2')).toEqual([digestOf('b')]);
    expect(await digests('--family', 'job')).toEqual([digestOf('a')]);
    expect((await digests('--all')).toSorted()).toEqual(['0', 'a', 'b', 'c'].map(digestOf));
  });
});
