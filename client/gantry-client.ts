/**
 * The client that the package hands out as `gantry/client`: a method for each operation, pages as they are asked for, tasks, logs and
 * events to follow over connections that break, and failures that pass tried again. Everything else is client.ts.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventView } from '../core/api/events.ts';
import { type Input, type OperationName, type Output, operations } from '../core/api/operations.ts';
import type { TaskView } from '../core/api/shapes.ts';
import { compact } from '../core/compact.ts';
import { errorTraits, GantryError } from '../core/errors.ts';
import type { LogLine } from '../core/model/task.ts';
import { awsCredentials } from './aws-credentials.ts';
import { type Client, type ClientOptions, createClient as createPlainClient, type WatchLine } from './client.ts';
import { connectionByEnvironment, type Environment } from './environment.ts';
import { type EventFilters, followEvents } from './follow-events.ts';
import { resumed } from './resume.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The input may be left out where nothing in it is asked for. */
type Arguments<Of> =
  Record<never, never> extends Of ? [input?: Of, options?: CallOptions] : [input: Of, options?: CallOptions];

/** `runTask`, `listEvents` …: one for each operation. Throws the GantryError that the control plane answered. */
export type OperationMethods = {
  readonly [Name in OperationName as Uncapitalize<Name>]: (...call: Arguments<Input<Name>>) => Promise<Output<Name>>;
};

type Paged = {
  [Name in OperationName]: 'nextToken' extends keyof Input<Name> & keyof Output<Name> ? Name : never;
}[OperationName];

/** `pages.listTasks({ … })`: every page, as they are asked for. */
export type PageMethods = {
  readonly [Name in Paged as Uncapitalize<Name>]: (
    ...call: Arguments<Omit<Input<Name>, 'nextToken'>>
  ) => AsyncGenerator<Output<Name>>;
};

interface TaskName {
  /** `default` where absent. */
  readonly cluster?: string;
  /** Id or ARN. */
  readonly task: string;
}

export interface GantryClient extends OperationMethods {
  readonly endpoint: string;
  readonly pages: PageMethods;
  /** By its name as in the documentation: for what is chosen at run time. */
  call<Name extends OperationName>(name: Name, input: Input<Name>, options?: CallOptions): Promise<Output<Name>>;
  /** The task now and at each change, and the progress of its pulls where the platform streams, until it has stopped. */
  watchTask(task: TaskName, options?: CallOptions): AsyncGenerator<WatchLine>;
  /** The task once it runs, has stopped, or can never get there, however long that takes. */
  waitForTask(task: TaskName & { readonly until: 'running' | 'stopped' }, options?: CallOptions): Promise<TaskView>;
  /** The lines that its containers wrote; with `follow` those to come as well. */
  logs(
    task: TaskName & {
      readonly container?: string;
      readonly tail?: number;
      /** RFC 3339: only lines of then and later. */
      readonly since?: string;
      readonly follow?: boolean;
    },
    options?: CallOptions,
  ): AsyncGenerator<LogLine>;
  /** What happens in the cluster from now on, or from `since` or behind the event `after`, without a gap and without end. */
  events(filters?: EventFilters, options?: CallOptions): AsyncGenerator<EventView>;
}

export interface GantryClientOptions extends Partial<ClientOptions> {
  /** How often a call is made that fails for a reason that passes, the first included (default: 3). */
  readonly maxAttempts?: number;
  /** Instead of the environment of the process. */
  readonly env?: Environment;
}

/**
 * What is not given is looked for in the environment: GANTRY_ENDPOINT or AWS_ENDPOINT_URL_ECS, AWS_REGION, AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY (before API Gateway: whatever AWS' own tools would find). Throws InvalidParameterException without an endpoint.
 */
export function createClient(options: GantryClientOptions = {}): GantryClient {
  const plain = createPlainClient(connectionOf(options));
  const call: GantryClient['call'] = (name, input, { signal } = {}) =>
    persistently(options.maxAttempts ?? 3, signal, (invocationId) => plain.call(name, input, signal, invocationId));
  const names = Object.keys(operations) as OperationName[];
  const methods = Object.fromEntries(
    names.map((name) => [
      methodOf(name),
      (input: object = {}, callOptions?: CallOptions) => call(name, input as Input<typeof name>, callOptions),
    ]),
  );
  const pages = Object.fromEntries(names.filter(isPaged).map((name) => [methodOf(name), pagesOf(call, name)]));
  return {
    // The table pairs each name with its input and output; TypeScript cannot follow a name through both.
    ...(methods as OperationMethods & Record<string, never>),
    pages: pages as PageMethods & Record<string, never>,
    endpoint: plain.endpoint,
    call,
    ...followers(plain, call),
  };
}

const methodOf = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

const isPaged = (name: OperationName): boolean => Object.hasOwn(operations[name].input.shape, 'nextToken');

function connectionOf({ env = process.env, ...options }: GantryClientOptions): ClientOptions {
  const { maxAttempts: _, ...given } = options;
  const endpoint = given.endpoint ?? env.GANTRY_ENDPOINT ?? env.AWS_ENDPOINT_URL_ECS;
  if (endpoint === undefined)
    throw new GantryError('InvalidParameterException', 'No control plane is named.', {
      field: 'endpoint',
      hint: 'Give `endpoint`, or set GANTRY_ENDPOINT, for example to http://127.0.0.1:8080.',
    });
  const found = connectionByEnvironment(endpoint, given.region, { env, awsCredentials: awsCredentials() });
  return { ...found, ...compact(given), endpoint: found.endpoint, region: found.region };
}

const pagesOf = (call: GantryClient['call'], name: OperationName) =>
  async function* (input: object = {}, options?: CallOptions): AsyncGenerator<object> {
    let nextToken: string | undefined;
    do {
      const page: object = await call(name, compact({ ...input, nextToken }) as Input<typeof name>, options);
      yield page;
      nextToken = 'nextToken' in page && typeof page.nextToken === 'string' ? page.nextToken : undefined;
    } while (nextToken !== undefined);
  };

type Followers = Pick<GantryClient, 'watchTask' | 'waitForTask' | 'logs' | 'events'>;

function followers(plain: Client, call: GantryClient['call']): Followers {
  const signalOf = ({ signal }: CallOptions = {}): AbortSignal => signal ?? new AbortController().signal;
  return {
    async *watchTask({ cluster = 'default', task }, options) {
      let hasStopped = false;
      const signal = signalOf(options);
      const open = () => plain.watchTask({ cluster, task }, signal);
      for await (const line of resumed(open, { signal, isWhole: () => hasStopped })) {
        hasStopped = line.kind === 'task' && line.task.lastStatus === 'STOPPED';
        yield line;
      }
    },
    async waitForTask({ until: wait, ...named }, options) {
      for (;;) {
        const { task, reached } = await call('GetTask', { ...named, wait }, options);
        if (reached !== 'not-yet') return task;
      }
    },
    logs: ({ cluster = 'default', ...request }, options) => plain.logs({ cluster, ...request }, options?.signal),
    async *events(filters = {}, options) {
      const signal = signalOf(options);
      const since = filters.since ?? (filters.after === undefined ? new Date().toISOString() : undefined);
      yield* resumed(followEvents(plain, compact({ ...filters, since }), signal), { signal, isWhole: () => false });
    },
  };
}

const firstPauseMs = 100;
const longestPauseMs = 5000;

/** Each attempt has the same invocation id, by which the control plane knows it for the same call: RunTask runs nothing twice. */
async function persistently<T>(
  most: number,
  signal: AbortSignal | undefined,
  once: (invocationId: string) => Promise<T>,
): Promise<T> {
  const invocationId = randomUUID();
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await once(invocationId);
    } catch (error) {
      const passes = error instanceof GantryError && errorTraits[error.code].retryable;
      if (!passes || attempts >= most) throw error;
    }
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** attempts) * (0.5 + Math.random() / 2);
    await delay(pause, undefined, signal === undefined ? {} : { signal });
  }
}
