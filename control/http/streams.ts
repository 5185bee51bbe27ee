/**
 * What REST streams as lines of JSON (NDJSON): a task as it changes, and its log. Only where the platform streams; elsewhere they are
 * refused with what to do instead, and of a log there is what the task itself keeps.
 */
import { Hono } from 'hono';
import { stream } from 'hono/streaming';
import { z } from 'zod';
import type { Output } from '../../core/api/operations.ts';
import { unknownMembers } from '../../core/api/unknown-members.ts';
import { GantryError } from '../../core/errors.ts';
import type { ProgressFrame } from '../../core/host-protocol.ts';
import type { LogLine } from '../../core/model/task.ts';
import { refuseWhileEnding, untilEnding } from '../ending.ts';
import type { OperationContext } from '../operations/context.ts';
import type { ApiOptions } from './app.ts';
import { authorize, authorizeCluster } from './auth/policy.ts';
import { inputError } from './call.ts';
import { problemOf } from './problem.ts';
import { answerRest } from './rest.ts';

type TaskView = Output<'GetTask'>['task'];

/** A line of `…/watch`. */
export type WatchLine =
  | { readonly kind: 'task'; readonly task: TaskView }
  | { readonly kind: 'progress'; readonly progress: ProgressFrame };

/** What a platform that cannot stream answers. */
export interface StreamRefusals {
  readonly watch: GantryError;
  readonly logs: GantryError;
  readonly events: GantryError;
}

const logsQuerySchema = z.object({
  follow: z.enum(['true', 'false']).optional(),
  tail: z.coerce.number().int().nonnegative().optional(),
  container: z.string().optional(),
  since: z.iso.datetime({ offset: true }).optional(),
});

export function createStreamApp(options: ApiOptions): Hono {
  const app = new Hono();
  app.get('/v1/clusters/:cluster/tasks/:task/watch', (c) =>
    answerRest(c, options, async (context) => {
      authorize(context.principal, 'read');
      authorizeCluster(context.principal, c.req.param('cluster'));
      if (options.refusals !== undefined) throw options.refusals.watch;
      const { whileKeyIsThere } = await import('./auth/revocation.ts');
      const lines = whileKeyIsThere(context, untilEnding(c.req.raw.signal, options.deps), (signal) =>
        watchTask(options, context, c.req.param(), signal),
      );
      return ndjson(c, options, context, await started(lines));
    }),
  );
  app.get('/v1/clusters/:cluster/tasks/:task/logs', (c) =>
    answerRest(c, options, async (context) => {
      authorize(context.principal, 'read');
      authorizeCluster(context.principal, c.req.param('cluster'));
      const unknown = unknownMembers(logsQuerySchema, c.req.query())[0];
      if (unknown !== undefined)
        throw new GantryError('InvalidParameterException', `The log has no parameter ${unknown}.`, { field: unknown });
      const query = logsQuerySchema.safeParse(c.req.query());
      if (!query.success) throw inputError(query.error, c.req.query());
      const { task } = await options.handlers.GetTask(context, c.req.param());
      requireContainer(task, query.data.container);
      // Only of a task that has stopped: the last lines of a part of it would be taken for its log.
      if (options.refusals !== undefined && task.lastStatus !== 'STOPPED') throw options.refusals.logs;
      const { whileKeyIsThere } = await import('./auth/revocation.ts');
      const lines = whileKeyIsThere(context, c.req.raw.signal, (signal) => readLogs(options, task, query.data, signal));
      return ndjson(c, options, context, lines);
    }),
  );
  return app;
}

/** The task now and after each change, and the progress of its pulls, until it has stopped. */
async function* watchTask(
  { deps, handlers }: ApiOptions,
  context: OperationContext,
  named: { cluster: string; task: string },
  signal: AbortSignal,
): AsyncGenerator<WatchLine> {
  let { task } = await handlers.GetTask(context, named);
  const taskId = task.taskArn.split('/').at(-1) ?? '';
  /** Of each container the last: a reader that is slow is not owed the others. */
  const pending = new Map<string, ProgressFrame>();
  let changed = false;
  let wake = () => {};
  const notice = (progress?: ProgressFrame) => {
    if (progress === undefined) changed = true;
    else pending.set(progress.container, progress);
    wake();
  };
  using _subscription = deps.feed.subscribe(taskId, notice);
  signal.addEventListener('abort', () => wake());
  // Again, now that nothing can be missed.
  ({ task } = await handlers.GetTask(context, named));
  yield { kind: 'task', task };
  for (const progress of deps.feed.latestProgress(taskId)) yield { kind: 'progress', progress };
  while (task.lastStatus !== 'STOPPED' && !signal.aborted) {
    if (!changed && pending.size === 0) await new Promise<void>((resolve) => (wake = resolve));
    const frames = [...pending.values()];
    pending.clear();
    for (const progress of frames) yield { kind: 'progress', progress };
    if (!changed) continue;
    changed = false;
    const before = task.version;
    ({ task } = await handlers.GetTask(context, named));
    if (task.version !== before) yield { kind: 'task', task };
  }
  if (task.lastStatus !== 'STOPPED') refuseWhileEnding(deps);
}

function requireContainer({ containers }: TaskView, wanted: string | undefined): void {
  const names = containers.map(({ name }) => name);
  if (wanted === undefined || names.includes(wanted)) return;
  throw new GantryError('InvalidParameterException', `The task has no container ${wanted}.`, {
    field: 'container',
    hint: `Its containers: ${names.join(', ')}.`,
  });
}

/** From the host while it has the log; from what the task itself keeps where the host is gone or it never had one. */
async function* readLogs(
  { deps, refusals }: ApiOptions,
  task: TaskView,
  query: LogsQuery,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  const hostId = task.containerInstanceArn?.split('/').at(-1);
  if (hostId === undefined) return;
  const since = query.since === undefined ? undefined : Date.parse(query.since);
  const kept = keptLines(task, query, since);
  if (refusals !== undefined) {
    yield* kept;
    return;
  }
  let sent = 0;
  try {
    const batches = deps.logs.open(hostId, {
      taskId: task.taskArn.split('/').at(-1) ?? '',
      ...(query.container !== undefined && { container: query.container }),
      ...(query.tail !== undefined && { tail: query.tail }),
      ...(since !== undefined && { since }),
      follow: query.follow === 'true',
      signal,
    });
    for await (const batch of batches)
      for (const line of batch) {
        sent += 1;
        yield line;
      }
  } catch (error) {
    // Before it has begun to run there is nothing to be missing.
    const isYetToCome = error instanceof GantryError && error.code === 'ResourceNotFoundException' && !hasRun(task);
    if (sent === 0 && isYetToCome) return;
    if (sent > 0 || kept.length === 0) throw error;
    deps.log.info({ err: error, task: task.taskArn }, 'the host has no log of the task; its last lines are shown');
    yield noticeBefore(kept, error);
  }
  if (sent === 0) yield* kept;
}

const hasRun = (task: TaskView): boolean => task.cannot.readLogs === undefined;

function noticeBefore([first]: readonly LogLine[], error: unknown): LogLine {
  const why = error instanceof GantryError ? error.message : 'The log cannot be read.';
  const { at = 0, container = '', stream = 'stdout' } = first ?? {};
  return { at, container, stream, text: `[gantry] ${why} These are its last lines.`, notice: true };
}

type LogsQuery = z.infer<typeof logsQuerySchema>;

/** The last lines that the task keeps of containers that have stopped. */
function keptLines({ containers }: TaskView, { container, tail }: LogsQuery, since = 0): readonly LogLine[] {
  const kept = containers
    .filter(({ name }) => container === undefined || name === container)
    .flatMap(({ lastLogLines }) => lastLogLines ?? [])
    .filter(({ at }) => at >= since)
    .toSorted((a, b) => a.at - b.at);
  return tail === undefined ? kept : kept.slice(-tail);
}

/** Fetches the first line before the answer begins, so that an error is still an error and not a broken stream. */
async function started<T>(lines: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await lines.next();
  return (async function* () {
    if (first.done === true) return;
    yield first.value;
    yield* lines;
  })();
}

/** What goes wrong once the answer has begun is its last line, as `problem`: a reader must not take a part for the whole. */
function ndjson(
  c: Parameters<typeof stream>[0],
  { deps }: ApiOptions,
  { requestId }: OperationContext,
  lines: AsyncGenerator<unknown>,
): Response {
  c.header('content-type', 'application/x-ndjson');
  return stream(c, async (output) => {
    output.onAbort(() => {
      void lines.return(undefined);
    });
    try {
      for await (const line of lines) await output.write(`${JSON.stringify(line)}\n`);
    } catch (error) {
      if (!(error instanceof GantryError)) deps.log.error({ err: error, requestId }, 'a stream broke');
      const shown =
        error instanceof GantryError
          ? error
          : new GantryError('ServerException', `The stream broke (request ${requestId}).`);
      await output.write(`${JSON.stringify({ problem: problemOf(shown, requestId) })}\n`);
    }
  });
}
