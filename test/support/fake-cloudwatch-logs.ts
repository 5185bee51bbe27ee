/**
 * CloudWatch Logs on loopback: groups, streams and PutLogEvents within AWS' limits, which it enforces; and what AWS does on bad days.
 * Signatures are not verified.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Event {
  readonly timestamp: number;
  readonly message: string;
}

interface Input {
  readonly logGroupName?: string;
  readonly logStreamName?: string;
  readonly logEvents?: readonly Event[];
}

export interface FakeCloudWatchLogs extends AsyncDisposable {
  readonly url: string;
  /** By group, then by stream. */
  readonly groups: Map<string, Map<string, Event[]>>;
  /** The sizes of the batches that were taken. */
  readonly batches: number[];
  /** Requests for which it was not well. */
  readonly refused: string[];
  /** `throttled`, `failing`: answers so. `deaf`: never answers. `rude`: takes it, and hangs up before it has said so. */
  mood: 'well' | 'throttled' | 'failing' | 'denying' | 'deaf' | 'rude';
  messages(group: string, stream: string): string[];
}

const maxEvents = 10_000;
const maxBytes = 1_048_576;
const overheadBytes = 26;
const maxMessageBytes = 262_144;
const maxSpanMs = 24 * 3600_000;
const maxAgeMs = 14 * 24 * 3600_000;

class Refusal extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

const invalid = (message: string): Refusal => new Refusal('InvalidParameterException', message);

export async function startFakeCloudWatchLogs(): Promise<FakeCloudWatchLogs> {
  const server = createServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const input = JSON.parse(await text(request)) as Input;
    const send = (status: number, body: object): void =>
      void response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    try {
      const result = perform(logs, operation, input);
      if (logs.mood === 'deaf') return;
      if (logs.mood === 'rude') return void request.socket.destroy();
      send(200, result);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(error.status, { __type: error.type, message: error.message });
    }
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const logs: FakeCloudWatchLogs = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    groups: new Map(),
    batches: [],
    refused: [],
    mood: 'well',
    messages: (group, stream) => (logs.groups.get(group)?.get(stream) ?? []).map(({ message }) => message),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return logs;
}

const moods: Readonly<Record<string, Refusal>> = {
  throttled: new Refusal('ThrottlingException', 'Rate exceeded'),
  failing: new Refusal('ServiceUnavailableException', 'The service cannot complete the request.', 503),
  denying: new Refusal('AccessDeniedException', 'User: arn:aws:sts::123456789012:role/host is not authorized'),
};

function perform(logs: FakeCloudWatchLogs, operation: string, input: Input): object {
  const refusal = moods[logs.mood];
  if (refusal !== undefined || logs.mood === 'deaf') logs.refused.push(operation);
  if (refusal !== undefined) throw refusal;
  if (logs.mood === 'deaf') return {};
  const { logGroupName = '', logStreamName = '', logEvents = [] } = input;
  const group = logs.groups.get(logGroupName);
  if (operation === 'CreateLogGroup') {
    if (group !== undefined)
      throw new Refusal('ResourceAlreadyExistsException', 'The specified log group already exists');
    logs.groups.set(logGroupName, new Map());
    return {};
  }
  if (group === undefined) throw new Refusal('ResourceNotFoundException', 'The specified log group does not exist.');
  const stream = group.get(logStreamName);
  if (operation === 'CreateLogStream') {
    if (stream !== undefined)
      throw new Refusal('ResourceAlreadyExistsException', 'The specified log stream already exists');
    group.set(logStreamName, []);
    return {};
  }
  if (stream === undefined) throw new Refusal('ResourceNotFoundException', 'The specified log stream does not exist.');
  return take(logs, stream, logEvents);
}

function take(logs: FakeCloudWatchLogs, stream: Event[], events: readonly Event[]): object {
  if (events.length === 0 || events.length > maxEvents) throw invalid(`A batch has 1 to ${maxEvents} events.`);
  const sizes = events.map(({ message }) => Buffer.byteLength(message));
  if (sizes.includes(0)) throw invalid("Member must have length greater than or equal to 1 at 'logEvents.message'");
  if (Math.max(...sizes) + overheadBytes > maxMessageBytes) throw invalid('Log event too large');
  if (sizes.reduce((sum, size) => sum + size + overheadBytes, 0) > maxBytes) throw invalid('Upload too large');
  const times = events.map(({ timestamp }) => timestamp);
  if (times.some((time, index) => time < (times[index - 1] ?? time)))
    throw invalid('Log events in a single PutLogEvents request must be in chronological order.');
  if ((times.at(-1) ?? 0) - (times[0] ?? 0) > maxSpanMs)
    throw invalid('The batch of log events spans more than 24 hours.');
  logs.batches.push(events.length);
  const oldest = Date.now() - maxAgeMs;
  const tooOld = times.filter((time) => time < oldest).length;
  stream.push(...events.slice(tooOld));
  return tooOld === 0 ? {} : { rejectedLogEventsInfo: { tooOldLogEventEndIndex: tooOld } };
}
