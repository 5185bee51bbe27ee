/**
 * The sockets that hosts keep open to this process, whatever carries them: wake-up sockets, which say only "look again", and
 * channels, which bring log lines, pull progress and what hosts say of their images and containers. Truth never travels here: a host
 * without sockets works, only later. Callers hand in sockets whose host has been authenticated.
 */
import { GantryError } from '../../core/errors.ts';
import { type AgentFrame, agentFrameSchema, type ControlFrame, type ProgressFrame } from '../../core/host-protocol.ts';
import type { LogLine } from '../../core/model/task.ts';
import { wakeFrame } from '../../core/wake-frame.ts';
import type { HostImageSource, HostStatsSource, LogSource, Wake } from '../deps.ts';
import { HostAnswer } from './host-answer.ts';
import { LogStream } from './log-stream.ts';

/** A WebSocket as the hub sees it. */
export interface HostSocket {
  send(text: string): void;
  onMessage(listener: (text: string) => void): void;
  onClose(listener: () => void): void;
  close(reason: string): void;
  /** Stops and restarts reading from the network, so that a slow reader of logs slows the host down instead of filling memory. */
  pause(): void;
  resume(): void;
}

export interface ChannelHub extends Wake, LogSource, HostImageSource, HostStatsSource {
  /** A newer socket of the same host replaces the older one. */
  attachWake(hostId: string, socket: HostSocket): void;
  attachChannel(hostId: string, socket: HostSocket): void;
  /** Closes every socket, those that come later too. */
  close(): void;
}

interface Channel {
  readonly socket: HostSocket;
  readonly streams: Map<string, LogStream>;
  readonly questions: Map<string, Question>;
}

interface Question {
  /** A part of the answer. */
  take(frame: AgentFrame): void;
  end(error?: string): void;
}

export function createChannelHub(options: {
  newId: () => string;
  onProgress: (hostId: string, frame: ProgressFrame) => void;
}): ChannelHub {
  const wakes = new Map<string, HostSocket>();
  const channels = new Map<string, Channel>();
  let isClosed = false;

  function flow(channel: Channel): void {
    if ([...channel.streams.values()].some((stream) => stream.isFull)) channel.socket.pause();
    else channel.socket.resume();
  }

  function receive(hostId: string, channel: Channel, text: string): void {
    const frame = parseFrame(text);
    if (frame === undefined) channel.socket.close('not a frame of this protocol');
    else if (frame.kind === 'progress') options.onProgress(hostId, frame);
    else {
      // Absent where whoever asked has left while the frame was under way.
      const stream = channel.streams.get(frame.stream);
      const question = channel.questions.get(frame.stream);
      if (frame.kind === 'logs') stream?.push(frame.lines);
      else if (frame.kind !== 'end') question?.take(frame);
      else {
        stream?.end(frame.error, frame.isMissing === true ? 'missing' : 'host');
        question?.end(frame.error);
      }
      flow(channel);
    }
  }

  function detach(hostId: string, channel: Channel): void {
    if (channels.get(hostId) === channel) channels.delete(hostId);
    for (const stream of channel.streams.values()) stream.end("The connection to the task's host was lost.", 'host');
    for (const question of channel.questions.values()) question.end('The connection to the host was lost.');
  }

  async function* open(hostId: string, request: Parameters<LogSource['open']>[1]): ReturnType<LogSource['open']> {
    const channel = channels.get(hostId);
    if (channel === undefined) throw notConnected();
    const { signal, ...asked } = request;
    const id = options.newId();
    const stream = new LogStream(() => flow(channel));
    const frame: ControlFrame = { kind: 'open-logs', stream: id, ...asked };
    const abort = (): void => stream.end();
    channel.streams.set(id, stream);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      channel.socket.send(JSON.stringify(frame));
      for await (const batch of stream.batches()) yield linesSince(batch, asked.since);
    } finally {
      signal.removeEventListener('abort', abort);
      channel.streams.delete(id);
      if (!stream.endedByHost)
        channel.socket.send(JSON.stringify({ kind: 'close', stream: id } satisfies ControlFrame));
      flow(channel);
    }
  }

  async function ask<T>(
    hostId: string,
    kind: 'list-images' | 'read-stats',
    partOf: (frame: AgentFrame) => readonly T[],
    signal: AbortSignal,
  ): Promise<readonly T[]> {
    const channel = channels.get(hostId);
    if (channel === undefined) throw unheard();
    const stream = options.newId();
    const answer = new HostAnswer<T>(signal);
    channel.questions.set(stream, {
      take: (frame) => answer.push(partOf(frame)),
      end: (error) => answer.end(error),
    });
    try {
      channel.socket.send(JSON.stringify({ kind, stream } satisfies ControlFrame));
      return await answer.whole;
    } finally {
      channel.questions.delete(stream);
    }
  }

  return {
    async hosts(hostIds) {
      for (const hostId of hostIds) wakes.get(hostId)?.send(wakeFrame);
    },
    open,
    images: (hostId, signal) =>
      ask(hostId, 'list-images', (frame) => (frame.kind === 'images' ? frame.images : []), signal),
    stats: (hostId, signal) =>
      ask(hostId, 'read-stats', (frame) => (frame.kind === 'stats' ? frame.containers : []), signal),
    attachWake(hostId, socket) {
      if (isClosed) return socket.close(ending);
      const older = wakes.get(hostId);
      wakes.set(hostId, socket);
      socket.onClose(() => {
        if (wakes.get(hostId) === socket) wakes.delete(hostId);
      });
      older?.close('replaced by a newer connection');
      // What happened while the host was not connected was not heard: it looks once.
      socket.send(wakeFrame);
    },
    attachChannel(hostId, socket) {
      if (isClosed) return socket.close(ending);
      const older = channels.get(hostId);
      const channel: Channel = { socket, streams: new Map(), questions: new Map() };
      channels.set(hostId, channel);
      socket.onMessage((text) => receive(hostId, channel, text));
      socket.onClose(() => detach(hostId, channel));
      older?.socket.close('replaced by a newer connection');
    },
    close() {
      isClosed = true;
      for (const socket of wakes.values()) socket.close(ending);
      for (const { socket, streams, questions } of channels.values()) {
        // Their readers are told now, whenever the host answers.
        for (const stream of streams.values()) stream.end('The control plane is ending.', 'host');
        for (const question of questions.values()) question.end('The control plane is ending.');
        socket.close(ending);
      }
    },
  };
}

function parseFrame(text: string): ReturnType<typeof agentFrameSchema.parse> | undefined {
  try {
    return agentFrameSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // Not JSON: the caller closes the socket for it.
  }
}

/** An older agent sends those of before, too. */
const linesSince = (lines: readonly LogLine[], since: number | undefined): readonly LogLine[] =>
  since === undefined ? lines : lines.filter(({ at, notice }) => at >= since || notice === true);

const ending = 'the control plane is ending';

const unheard = (): GantryError =>
  new GantryError('ServiceUnavailableException', 'The host is not connected, so it cannot be asked.', {
    hint: 'Try again when `gantry hosts` shows it as connected.',
  });

const notConnected = (): GantryError =>
  new GantryError('ServiceUnavailableException', "The task's host is not connected, so its log cannot be read now.", {
    hint: 'Try again when `gantry hosts` shows the host as connected; the last lines of a stopped task are in `gantry show`.',
  });
