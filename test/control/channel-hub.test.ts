import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type ChannelHub, createChannelHub, type HostSocket } from '../../control/hosts/channel-hub.ts';
import type { AgentFrame, ProgressFrame } from '../../core/host-protocol.ts';
import type { LogLine } from '../../core/model/task.ts';
import { fakeStats } from '../support/fake-stats.ts';
import { startWorld } from './support/world.ts';

class FakeSocket implements HostSocket {
  readonly sent: string[] = [];
  closedBecause: string | undefined;
  paused = false;
  #message: (text: string) => void = () => {};
  #close: () => void = () => {};

  send(text: string): void {
    this.sent.push(text);
  }
  onMessage(listener: (text: string) => void): void {
    this.#message = listener;
  }
  onClose(listener: () => void): void {
    this.#close = listener;
  }
  close(reason: string): void {
    this.closedBecause = reason;
    this.#close();
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }

  /** From the host. */
  arrives(frame: AgentFrame | string): void {
    this.#message(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }
  get frames(): { kind: string; stream: string }[] {
    return this.sent.map((text) => JSON.parse(text));
  }
}

function startHub(): { hub: ChannelHub; progress: [string, ProgressFrame][] } {
  const progress: [string, ProgressFrame][] = [];
  let ids = 0;
  const hub = createChannelHub({
    newId: () => `stream-${++ids}`,
    onProgress: (hostId, frame) => progress.push([hostId, frame]),
  });
  return { hub, progress };
}

const lines = (count: number): LogLine[] =>
  Array.from({ length: count }, (_, at) => ({ at, container: 'app', stream: 'stdout', text: `line ${at}` }));

describe('wake-ups', () => {
  it('go to the hosts named, over the newest socket of each, and say nothing', async () => {
    const { hub } = startHub();
    const [older, newer, other] = [new FakeSocket(), new FakeSocket(), new FakeSocket()];
    hub.attachWake('a', older);
    hub.attachWake('b', other);
    expect(older.sent, 'what it has missed').toEqual(['wake']);
    hub.attachWake('a', newer);
    expect(older.closedBecause).toBe('replaced by a newer connection');
    await hub.hosts(['a', 'nobody']);
    expect([older.sent, newer.sent, other.sent].map(({ length }) => length)).toEqual([1, 2, 1]);
    newer.close('gone');
    await hub.hosts(['a']);
    expect(newer.sent).toHaveLength(2);
  });
});

describe('the images of a host', () => {
  const busybox = { names: ['busybox'], digest: 'sha256:a', sizeBytes: 1, taskIds: ['task'] };
  const ask = (hub: ChannelHub, signal = new AbortController().signal) => hub.images('a', signal);

  it('are asked of it, and are those of all frames up to the end', async () => {
    const { hub } = startHub();
    const socket = new FakeSocket();
    hub.attachChannel('a', socket);
    const asked = ask(hub);
    expect(socket.frames).toEqual([{ kind: 'list-images', stream: 'stream-1' }]);
    socket.arrives({ kind: 'images', stream: 'stream-1', images: [busybox] });
    socket.arrives({ kind: 'images', stream: 'another', images: [busybox] });
    socket.arrives({ kind: 'images', stream: 'stream-1', images: [{ ...busybox, digest: 'sha256:b' }] });
    socket.arrives({ kind: 'end', stream: 'stream-1' });
    expect((await asked).map(({ digest }) => digest)).toEqual(['sha256:a', 'sha256:b']);
  });

  it.each<[string, (socket: FakeSocket, leave: AbortController, hub: ChannelHub) => void, string]>([
    [
      'it fails to say',
      (socket) => socket.arrives({ kind: 'end', stream: 'stream-1', error: 'containerd is away' }),
      'containerd is away',
    ],
    ['it is lost', (socket) => socket.close('gone'), 'connection to the host was lost'],
    ['it says nothing in time', (_, leave) => leave.abort(), 'older than the question'],
    ['the control plane ends', (_socket, _leave, hub) => hub.close(), 'control plane is ending'],
  ])('are refused where %s', async (_, happens, message) => {
    const { hub } = startHub();
    const socket = new FakeSocket();
    const leave = new AbortController();
    hub.attachChannel('a', socket);
    const asked = ask(hub, leave.signal);
    happens(socket, leave, hub);
    await expect(asked).rejects.toMatchObject({
      code: 'ServiceUnavailableException',
      message: expect.stringContaining(message),
    });
  });

  it('are refused where it is not connected', async () => {
    await expect(ask(startHub().hub)).rejects.toMatchObject({ code: 'ServiceUnavailableException' });
  });
});

describe('what the containers of a host use', () => {
  it('is asked of it each time, and is what all frames up to the end say', async () => {
    const { hub } = startHub();
    const socket = new FakeSocket();
    hub.attachChannel('a', socket);
    const asked = hub.stats('a', new AbortController().signal);
    expect(socket.frames).toEqual([{ kind: 'read-stats', stream: 'stream-1' }]);
    const of = (container: string) => ({ taskId: 'task', container, stats: fakeStats(2000, 1000, 64) });
    socket.arrives({ kind: 'stats', stream: 'stream-1', containers: [of('a')] });
    socket.arrives({ kind: 'stats', stream: 'stream-1', containers: [of('b')] });
    socket.arrives({ kind: 'end', stream: 'stream-1' });
    expect(await asked).toEqual([of('a'), of('b')]);
  });
});

describe('a log', () => {
  const request = { taskId: 'task', follow: true };

  async function readAll(hub: ChannelHub, signal = new AbortController().signal): Promise<number> {
    let read = 0;
    for await (const batch of hub.open('a', { ...request, signal })) read += batch.length;
    return read;
  }

  it('is asked of the host, read in order, and ends with the host', async () => {
    const { hub } = startHub();
    const socket = new FakeSocket();
    hub.attachChannel('a', socket);
    const reading = readAll(hub);
    await turn();
    expect(socket.frames).toEqual([{ kind: 'open-logs', stream: 'stream-1', taskId: 'task', follow: true }]);
    socket.arrives({ kind: 'logs', stream: 'stream-1', lines: lines(2) });
    socket.arrives({ kind: 'logs', stream: 'another', lines: lines(9) });
    socket.arrives({ kind: 'logs', stream: 'stream-1', lines: lines(3) });
    socket.arrives({ kind: 'end', stream: 'stream-1' });
    expect(await reading).toBe(5);
    expect(socket.sent, 'the host knows').toHaveLength(1);
  });

  it('is closed at the host when its reader goes away', async () => {
    const { hub } = startHub();
    const socket = new FakeSocket();
    hub.attachChannel('a', socket);
    const leave = new AbortController();
    const reading = readAll(hub, leave.signal);
    await turn();
    leave.abort();
    expect(await reading).toBe(0);
    expect(socket.frames.at(-1)).toEqual({ kind: 'close', stream: 'stream-1' });
  });

  it('holds its host up while its reader is slow', async () => {
    const { hub } = startHub();
    const socket = new FakeSocket();
    hub.attachChannel('a', socket);
    const reader = hub.open('a', { ...request, signal: new AbortController().signal })[Symbol.asyncIterator]();
    const first = reader.next();
    await turn();
    socket.arrives({ kind: 'logs', stream: 'stream-1', lines: lines(1500) });
    expect(socket.paused).toBe(false);
    await first;
    socket.arrives({ kind: 'logs', stream: 'stream-1', lines: lines(1500) });
    socket.arrives({ kind: 'logs', stream: 'stream-1', lines: lines(600) });
    expect(socket.paused).toBe(true);
    await reader.next();
    expect(socket.paused).toBe(false);
    const long = { ...(lines(1)[0] as LogLine), text: 'x'.repeat(1024 * 1024) };
    socket.arrives({ kind: 'logs', stream: 'stream-1', lines: [long] });
    expect(socket.paused, 'few lines, but long ones').toBe(true);
    await reader.return?.();
  });

  it('has no line from before the time that was asked for, also of an agent that does not know of it', async () => {
    const { hub } = startHub();
    const socket = new FakeSocket();
    hub.attachChannel('a', socket);
    const signal = new AbortController().signal;
    const reader = hub.open('a', { ...request, since: 2, signal })[Symbol.asyncIterator]();
    const first = reader.next();
    await turn();
    expect(socket.frames).toEqual([{ kind: 'open-logs', stream: 'stream-1', ...request, since: 2 }]);
    socket.arrives({ kind: 'logs', stream: 'stream-1', lines: lines(4) });
    expect((await first).value).toEqual(lines(4).slice(2));
    await reader.return?.();
  });

  it('ends with an error when the host says so, when its connection is lost, or when there is none', async () => {
    const { hub } = startHub();
    const socket = new FakeSocket();
    hub.attachChannel('a', socket);
    const failing = readAll(hub);
    const lost = readAll(hub);
    await turn();
    socket.arrives({ kind: 'end', stream: 'stream-1', error: 'the log is gone' });
    await expect(failing).rejects.toMatchObject({ code: 'ServiceUnavailableException', message: 'the log is gone' });
    const retired = readAll(hub);
    await turn();
    socket.arrives({ kind: 'end', stream: 'stream-3', error: 'it was removed', isMissing: true });
    await expect(retired).rejects.toMatchObject({ code: 'ResourceNotFoundException', message: 'it was removed' });
    socket.close('cable pulled');
    await expect(lost).rejects.toThrow("The connection to the task's host was lost.");
    await expect(readAll(hub)).rejects.toMatchObject({ code: 'ServiceUnavailableException' });
  });
});

describe('a channel', () => {
  it.each(['nonsense', '{"kind":"logs"}'])('that carries %s is closed', (text) => {
    const { hub } = startHub();
    const socket = new FakeSocket();
    hub.attachChannel('a', socket);
    socket.arrives(text);
    expect(socket.closedBecause).toBe('not a frame of this protocol');
  });

  it('brings the progress of tasks that are its own host’s, and of no others', async () => {
    await using world = await startWorld();
    const host = await world.host();
    await world.register('job');
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    const taskId = tasks[0]?.taskArn.split('/').at(-1) ?? '';
    const frame: ProgressFrame = {
      kind: 'progress',
      taskId,
      container: 'app',
      image: 'busybox',
      phase: 'downloading',
      layersDone: 0,
      layersTotal: 1,
      bytesDone: 5,
      bytesTotal: 10,
    };
    const [own, strange] = [new FakeSocket(), new FakeSocket()];
    world.control.hub.attachChannel('somebody', strange);
    world.control.hub.attachChannel(host.hostId, own);
    const heard = Promise.withResolvers<ProgressFrame | undefined>();
    using _ = world.control.deps.feed.subscribe(taskId, heard.resolve);
    strange.arrives({ ...frame, bytesDone: 9 });
    own.arrives(frame);
    expect(await heard.promise).toEqual(frame);
    expect(world.control.deps.feed.latestProgress(taskId)).toEqual([frame]);
    await host.obey();
    expect(world.control.deps.feed.latestProgress(taskId), 'the task moved on').toEqual([]);
  });
});
