/**
 * The channel: a socket over which the control plane reads this host's logs, asks for its images and what its containers use, and sees
 * the progress of pulls. Owns the streams that are open on it and their pace (a reader that is slow slows the reading down; nothing
 * gathers in memory). Never the wake-up socket.
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import { compact } from '../core/compact.ts';
import { type AgentFrame, type ControlFrame, controlFrameSchema, type ProgressFrame } from '../core/host-protocol.ts';
import type { LogLine } from '../core/model/task.ts';
import { answerImages } from './channel-images.ts';
import { answerStats } from './channel-stats.ts';
import type { SocketEvents } from './control-plane/socket.ts';
import { keptLogs } from './loops/log-retention.ts';
import type { Runtime } from './runtime.ts';

/** What the channel needs of a WebSocket. */
export interface FrameSocket {
  readonly bufferedAmount: number;
  send(frame: string, sent: (error?: Error | null) => void): void;
}

export interface Channel extends SocketEvents {
  /** For display: dropped where the socket is closed or behind. */
  progress(frame: ProgressFrame): void;
}

const noLog = `The host has no log of the task: it keeps those of the last ${keptLogs} tasks that ended on it.`;
const maxStreams = 64;
/** Characters of text in one frame, so that a frame stays below what gateways let through. */
const maxFrameText = 64 * 1024;
/** Progress waits for nobody. */
const maxBufferedProgressBytes = 256 * 1024;
const progressEveryMs = 100;
const maxRememberedPulls = 1000;

type OpenLogs = Extract<ControlFrame, { kind: 'open-logs' }>;

type Machinery = Pick<Runtime, 'readLogs' | 'tasksWithLogs' | 'listImages' | 'inventory' | 'containerStats'>;

export function createChannel(runtime: Machinery, now: () => number, log: Logger): Channel {
  const streams = new Map<string, AbortController>();
  const isDue = progressGate(now);
  let socket: FrameSocket | undefined;

  const openLogs = async (to: FrameSocket, request: OpenLogs): Promise<void> => {
    if (streams.size >= maxStreams || streams.has(request.stream)) {
      const error = streams.has(request.stream)
        ? 'the stream is open already'
        : 'too many logs are being read from this host';
      return await sendFrame(to, { kind: 'end', stream: request.stream, error });
    }
    const cancel = new AbortController();
    streams.set(request.stream, cancel);
    try {
      await streamLogs(runtime, to, request, cancel.signal);
    } finally {
      if (streams.get(request.stream) === cancel) streams.delete(request.stream);
    }
  };

  const answer = (frame: Exclude<ControlFrame, { kind: 'close' }>, to: FrameSocket): Promise<void> => {
    const send = (part: AgentFrame) => sendFrame(to, part);
    if (frame.kind === 'open-logs') return openLogs(to, frame);
    return (frame.kind === 'list-images' ? answerImages : answerStats)(runtime, frame.stream, send);
  };

  return {
    opened(opened) {
      socket = opened;
    },
    message(text) {
      const frame = parseFrame(text);
      if (frame === undefined)
        return log.warn({ text: text.slice(0, 200) }, 'a frame on the channel cannot be understood');
      if (frame.kind === 'close') return streams.get(frame.stream)?.abort();
      if (socket === undefined) return;
      answer(frame, socket).catch((error: unknown) => {
        log.debug({ err: error, stream: frame.stream }, 'a stream ended with its socket');
      });
    },
    closed() {
      socket = undefined;
      for (const cancel of streams.values()) cancel.abort();
      streams.clear();
    },
    progress(frame) {
      if (socket === undefined || socket.bufferedAmount > maxBufferedProgressBytes || !isDue(frame)) return;
      socket.send(JSON.stringify(frame satisfies AgentFrame), () => {}); // A lost frame costs nothing.
    },
  };
}

/** Reads the log and sends it at the reader's pace; always ends with an `end` frame. */
async function streamLogs(
  runtime: Pick<Runtime, 'readLogs' | 'tasksWithLogs'>,
  socket: FrameSocket,
  { stream, taskId, container, tail, since, follow }: OpenLogs,
  signal: AbortSignal,
): Promise<void> {
  let outcome: { error: string; isMissing?: true } | undefined;
  let hasLines = false;
  try {
    for await (const batch of runtime.readLogs(taskId, { ...compact({ container, tail, since }), follow, signal })) {
      hasLines = true;
      for (const lines of frames(batch)) await sendFrame(socket, { kind: 'logs', stream, lines });
      if (signal.aborted) break;
    }
    if (!hasLines && !(await runtime.tasksWithLogs()).includes(taskId)) outcome = { error: noLog, isMissing: true };
  } catch (error) {
    outcome = { error: error instanceof Error ? error.message : String(error) };
  }
  await sendFrame(socket, { kind: 'end', stream, ...outcome });
}

/** Cuts a batch into frames of bounded size; one very long line makes a frame of its own. */
function* frames(batch: readonly LogLine[]): Generator<LogLine[]> {
  let lines: LogLine[] = [];
  let size = 0;
  for (const line of batch) {
    if (lines.length > 0 && size + line.text.length > maxFrameText) {
      yield lines;
      lines = [];
      size = 0;
    }
    lines.push(line);
    size += line.text.length;
  }
  if (lines.length > 0) yield lines;
}

function sendFrame(socket: FrameSocket, frame: AgentFrame): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(JSON.stringify(frame), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Lets through each change of phase and of what is waited for, and otherwise one frame a container every `progressEveryMs`. */
function progressGate(now: () => number): (frame: ProgressFrame) => boolean {
  const last = new Map<string, { stage: string; at: number }>();
  return (frame) => {
    const key = `${frame.taskId}/${frame.container}`;
    const before = last.get(key);
    const stage = JSON.stringify([frame.phase, frame.waitsFor]);
    const at = now();
    if (before?.stage === stage && at - before.at < progressEveryMs) return false;
    if (last.size >= maxRememberedPulls) last.clear(); // Pulls that failed say no 'done'.
    if (frame.phase === 'done') last.delete(key);
    else last.set(key, { stage, at });
    return true;
  };
}

function parseFrame(text: string): ControlFrame | undefined {
  try {
    return controlFrameSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}
