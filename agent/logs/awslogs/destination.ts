/**
 * A stream of CloudWatch Logs: made where it is missing, and given batches of events. The only importer of its client, and itself
 * imported when the first container asks for it. Tries nothing twice; says of each failure whether trying again may help.
 */
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { AwslogsTarget } from '../../../core/model/log-target.ts';
import type { LogEvent } from './events.ts';

export class DestinationError extends Error {
  override readonly name = 'DestinationError';
  /** `throttled`, `unreachable`: passes by itself. `missing`: the group or stream. `refused`: this batch, now and later. */
  readonly kind: 'throttled' | 'unreachable' | 'missing' | 'refused' | 'denied';

  constructor(kind: DestinationError['kind'], message: string, cause: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

const requestTimeoutMs = 30_000;
const connectionTimeoutMs = 5000;
/** One a region, for all containers of this agent. */
const clients = new Map<string, CloudWatchLogsClient>();

function clientOf(region: string, endpoint: string | undefined): CloudWatchLogsClient {
  const key = `${region} ${endpoint ?? ''}`;
  const known = clients.get(key);
  if (known !== undefined) return known;
  const made = new CloudWatchLogsClient({
    region,
    // Whoever sends tries again by itself, and must know that something is wrong.
    maxAttempts: 1,
    requestHandler: { requestTimeout: requestTimeoutMs, connectionTimeout: connectionTimeoutMs },
    ...(endpoint !== undefined && { endpoint }),
  });
  clients.set(key, made);
  return made;
}

export class Destination {
  readonly #client: CloudWatchLogsClient;
  readonly #target: AwslogsTarget;
  readonly #names: { readonly logGroupName: string; readonly logStreamName: string };

  constructor(target: AwslogsTarget, stream: string, endpoint: string | undefined) {
    this.#client = clientOf(target.region, endpoint);
    this.#target = target;
    this.#names = { logGroupName: target.group, logStreamName: stream };
  }

  /** Fine where it is there. Throws DestinationError. */
  async create(signal?: AbortSignal): Promise<void> {
    const options = signal === undefined ? {} : { abortSignal: signal };
    const { logGroupName } = this.#names;
    const stream = (): Promise<unknown> => this.#client.send(new CreateLogStreamCommand(this.#names), options);
    try {
      await unlessThere(stream());
    } catch (error) {
      if (!this.#target.createsGroup || failureOf(error).kind !== 'missing') throw failureOf(error);
      try {
        await unlessThere(this.#client.send(new CreateLogGroupCommand({ logGroupName }), options));
        await unlessThere(stream());
      } catch (second) {
        throw failureOf(second);
      }
    }
  }

  /** Answers how many of them are not kept, because they are too old or too new. Throws DestinationError. */
  async put(events: readonly LogEvent[], signal: AbortSignal): Promise<number> {
    const logEvents = events.map(({ at, text }) => ({ timestamp: at, message: text }));
    try {
      const command = new PutLogEventsCommand({ ...this.#names, logEvents });
      const { rejectedLogEventsInfo: rejected } = await this.#client.send(command, { abortSignal: signal });
      const old = Math.max(rejected?.tooOldLogEventEndIndex ?? 0, rejected?.expiredLogEventEndIndex ?? 0);
      return old + events.length - (rejected?.tooNewLogEventStartIndex ?? events.length);
    } catch (error) {
      throw failureOf(error);
    }
  }
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (nameOf(error) !== 'ResourceAlreadyExistsException') throw error;
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

const kinds: Readonly<Record<string, DestinationError['kind']>> = {
  ThrottlingException: 'throttled',
  ServiceQuotaExceededException: 'throttled',
  OperationAbortedException: 'throttled',
  ResourceNotFoundException: 'missing',
  InvalidParameterException: 'refused',
  ValidationException: 'refused',
};

function failureOf(error: unknown): DestinationError {
  const name = nameOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return new DestinationError(kinds[name] ?? kindByStatus(error), message === '' ? name : `${name}: ${message}`, error);
}

/** What has no answer of AWS at all did not get there. */
function kindByStatus(error: unknown): DestinationError['kind'] {
  if (nameOf(error) === 'CredentialsProviderError') return 'denied';
  const metadata = typeof error === 'object' && error !== null && '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata ? metadata.httpStatusCode : 0;
  if (typeof status !== 'number' || status === 0 || status >= 500) return 'unreachable';
  return status === 429 ? 'throttled' : 'denied';
}
