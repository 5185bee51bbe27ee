/**
 * The typed client of the REST API, from the table of operations: builds the request, signs it (SigV4), reads the answer into the same
 * types that the handlers answer, and turns problems into GantryErrors. What waits longer than one request is resumed by itself.
 */
import { z } from 'zod';
import { type Input, type OperationName, type Output, operations } from '../core/api/operations.ts';
import { queryText, requestForm } from '../core/api/request-form.ts';
import { taskViewSchema } from '../core/api/shapes.ts';
import { GantryError } from '../core/errors.ts';
import { progressFrameSchema } from '../core/host-protocol.ts';
import { type LogLine, logLineSchema } from '../core/model/task.ts';
import { trustAuthority } from './authority.ts';
import { readableDates } from './dates.ts';
import { connectionError, problemError, streamError } from './failures.ts';
import { readLines } from './lines.ts';
import { pollTask } from './poll-task.ts';
import { createSigner, type SigningOptions } from './signer.ts';

export interface ClientOptions extends SigningOptions {
  /** For example `http://127.0.0.1:8080`. */
  readonly endpoint: string;
  /** PEM, of a control plane whose certificate is from an authority of its own: this process trusts it from then on. */
  readonly certificateAuthority?: string | undefined;
}

const watchLineSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('task'), task: readableDates(taskViewSchema) }),
  z.object({ kind: z.literal('progress'), progress: progressFrameSchema }),
]);
export type WatchLine = z.output<typeof watchLineSchema>;

interface TaskName {
  readonly cluster: string;
  /** Id or ARN. */
  readonly task: string;
}

export interface Client {
  readonly endpoint: string;
  /** Throws the GantryError that the control plane answered, or one that says why it cannot be reached. */
  call<Name extends OperationName>(
    name: Name,
    input: Input<Name>,
    signal?: AbortSignal,
    /** The same for each attempt at one call. */
    invocationId?: string,
  ): Promise<Output<Name>>;
  /** The task now and at each change, and its pulls' progress (where the platform streams), until it has stopped. */
  watchTask(task: TaskName, signal?: AbortSignal): AsyncGenerator<WatchLine>;
  logs(
    task: TaskName & {
      readonly container?: string;
      readonly tail?: number;
      /** RFC 3339. */
      readonly since?: string;
      readonly follow?: boolean;
    },
    signal?: AbortSignal,
  ): AsyncGenerator<LogLine>;
}

interface Sending {
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly invocationId?: string | undefined;
}

export function createClient({ endpoint, certificateAuthority, ...signing }: ClientOptions): Client {
  if (certificateAuthority !== undefined) trustAuthority(certificateAuthority);
  const sign = createSigner(endpoint, signing);
  let streams = true;

  async function send(method: string, path: string, { body, signal, invocationId }: Sending): Promise<Response> {
    const url = new URL(path, endpoint);
    const signed = await sign({ method, url, body });
    const headers = invocationId === undefined ? signed : { ...signed, 'amz-sdk-invocation-id': invocationId };
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        ...(body !== undefined && { body }),
        ...(signal !== undefined && { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw connectionError(endpoint, error);
    }
    if (!response.ok) throw await problemError(response);
    return response;
  }

  async function* stream<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): AsyncGenerator<T> {
    const response = await send('GET', path, { signal });
    for await (const text of readLines(response)) {
      const line: unknown = JSON.parse(text);
      const broken = streamError(line);
      if (broken !== undefined) throw broken;
      yield schema.parse(line);
    }
  }

  async function call<Name extends OperationName>(
    name: Name,
    input: Input<Name>,
    signal?: AbortSignal,
    invocationId?: string,
  ): Promise<Output<Name>> {
    const { method, path, body } = requestForm(operations[name].rest, { ...input });
    const response = await send(method, path, { body: body && JSON.stringify(body), signal, invocationId });
    // The table pairs each name with its output; TypeScript cannot follow a name through both.
    return readableDates(operations[name].output).parse(await response.json()) as Output<Name>;
  }

  async function* watchTask(task: TaskName, signal?: AbortSignal): AsyncGenerator<WatchLine> {
    try {
      if (streams) return yield* stream(`${taskPath(task)}/watch`, watchLineSchema, signal);
    } catch (error) {
      if (!(error instanceof GantryError && error.code === 'UnsupportedFeatureException')) throw error;
      streams = false;
    }
    for await (const view of pollTask(call, task, signal)) yield { kind: 'task', task: view };
  }

  return {
    endpoint,
    call,
    watchTask,
    logs({ cluster, task, ...query }, signal) {
      return stream(`${taskPath({ cluster, task })}/logs${queryText(query)}`, logLineSchema, signal);
    },
  };
}

const taskPath = ({ cluster, task }: TaskName): string =>
  `/v1/clusters/${encodeURIComponent(cluster)}/tasks/${encodeURIComponent(task)}`;
