/**
 * The channel: a socket over which the control plane reads this host's logs, asks for its images and sees the progress of pulls. Owns the streams that are
 * open on it and their pace (a reader that is slow slows the reading down; nothing gathers in memory). Never the wake-up socket.
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import { type AgentFrame, type ControlFrame, controlFrameSchema, type ProgressFrame } from '../core/host-protocol.ts';
import type { LogLine } from '../core/model/task.ts';
import { answerImages } from './channel-images.ts';
import type { SocketEvents } from './control-plane/socket.ts';
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

const maxStreams = 64;
/** Characters of text in one frame, so that a frame stays below what gateways let through. */
const maxFrameText = 64 * 1024;
/** Progress waits for nobody. */
const maxBufferedProgressBytes = 256 * 1024;
const progressEveryMs = 100;
const maxRememberedPulls = 1000;

type OpenLogs = Extract<ControlFrame, { kind: 'open-logs' }>;

type Machinery = Pick<Runtime, 'readLogs' | 'listImages' | 'inventory'>;

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
      const to = socket;
      const answered =
        frame.kind === 'open-logs'
          ? openLogs(to, frame)
          : answerImages(runtime, frame.stream, (answer) => sendFrame(to, answer));
      answered.catch((error: unknown) => {
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
  runtime: Pick<Runtime, 'readLogs'>,
  socket: FrameSocket,
  { stream, taskId, container, tail, follow }: OpenLogs,
  signal: AbortSignal,
): Promise<void> {
  let failure: string | undefined;
  try {
    const which = { ...(container === undefined ? {} : { container }), ...(tail === undefined ? {} : { tail }) };
    for await (const batch of runtime.readLogs(taskId, { ...which, follow, signal })) {
      for (const lines of frames(batch)) await sendFrame(socket, { kind: 'logs', stream, lines });
      if (signal.aborted) break;
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  await sendFrame(socket, { kind: 'end', stream, ...(failure === undefined ? {} : { error: failure }) });
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

/** Lets through each change of phase, and otherwise one frame a container every `progressEveryMs`. */
function progressGate(now: () => number): (frame: ProgressFrame) => boolean {
  const last = new Map<string, { phase: ProgressFrame['phase']; at: number }>();
  return (frame) => {
    const key = `${frame.taskId}/${frame.container}`;
    const before = last.get(key);
    const at = now();
    if (before?.phase === frame.phase && at - before.at < progressEveryMs) return false;
    if (last.size >= maxRememberedPulls) last.clear(); // Pulls that failed say no 'done'.
    if (frame.phase === 'done') last.delete(key);
    else last.set(key, { phase: frame.phase, at });
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
