/**
 * `/v1/events/stream`: ListEvents as server-sent events, oldest first, until its reader goes. Begins with now, or behind the event that
 * `Last-Event-ID`, `after` or `since` names, so that a browser's EventSource resumes by itself. Only where the platform streams.
 */
import { Hono } from 'hono';
import { stream } from 'hono/streaming';
import { ofEventPages } from '../../core/api/events.ts';
import { type Output, operations } from '../../core/api/operations.ts';
import { GantryError } from '../../core/errors.ts';
import { refuseWhileEnding, untilEnding } from '../ending.ts';
import { eventsTopic } from '../events/keep.ts';
import type { OperationContext } from '../operations/context.ts';
import { clusterName } from '../operations/references.ts';
import type { ApiOptions } from './app.ts';
import { authorize } from './auth/policy.ts';
import { asGantryError, callOperation } from './call.ts';
import { problemOf } from './problem.ts';
import { answerRest, restInput } from './rest.ts';

type Page = Output<'ListEvents'>;
type Ask = (position: Readonly<Record<string, unknown>>) => Promise<Page>;

/** A reader that is gone is noticed when it is written to. */
const beatMs = 20_000;

export function createEventStreamApp(options: ApiOptions): Hono {
  const app = new Hono();
  app.get('/v1/events/stream', (c) =>
    answerRest(c, options, async (context) => {
      authorize(context.principal, 'read');
      if (options.refusals !== undefined) throw options.refusals.events;
      const { after, since, ...filters } = streamInput(restInput(c, operations.ListEvents, new Uint8Array()));
      const ask: Ask = async (position) =>
        (await callOperation('ListEvents', options.handlers, context, {
          ...filters,
          ...position,
          order: 'oldest',
        })) as Page;
      const lastId = c.req.header('last-event-id') ?? after;
      const now = new Date(options.deps.clock.now()).toISOString();
      const begin = lastId === undefined ? { since: since ?? now } : { after: lastId };
      // Before the answer begins, so that an error is still an error and not a broken stream.
      const first = await ask(begin);
      const topic = eventsTopic(clusterName(textOf(filters.cluster)));
      const { whileKeyIsThere } = await import('./auth/revocation.ts');
      c.header('content-type', 'text/event-stream');
      c.header('cache-control', 'no-store');
      return stream(c, async (output) => {
        const chunks = whileKeyIsThere(context, untilEnding(c.req.raw.signal, options.deps), (signal) =>
          follow(options, { topic, ask, begin, first, signal }),
        );
        output.onAbort(() => void chunks.return(undefined));
        for await (const chunk of endingWithProblem(chunks, options, context)) await output.write(chunk);
      });
    }),
  );
  return app;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function streamInput(input: Record<string, unknown>): Record<string, unknown> {
  const field = ofEventPages.find((name) => input[name] !== undefined);
  if (field === undefined) return input;
  throw new GantryError('InvalidParameterException', `The stream of events has no parameter ${field}.`, {
    field,
    hint: 'GET /v1/events has it.',
  });
}

interface Following {
  readonly topic: string;
  readonly ask: Ask;
  readonly begin: Readonly<Record<string, unknown>>;
  readonly first: Page;
  readonly signal: AbortSignal;
}

async function* follow(
  { deps }: Pick<ApiOptions, 'deps'>,
  { topic, ask, begin, first, signal }: Following,
): AsyncGenerator<string> {
  let changed = true;
  let wake = () => {};
  using _ = deps.feed.subscribe(topic, () => {
    changed = true;
    wake();
  });
  using beat = beats(() => wake());
  signal.addEventListener('abort', () => {
    // Also where nobody waits just now.
    changed = true;
    wake();
  });
  let page = first;
  let position = begin;
  while (!signal.aborted) {
    for (const event of page.events) yield `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
    if (page.resumeAfter !== undefined) position = { after: page.resumeAfter };
    if (page.nextToken === undefined && !changed) await new Promise<void>((resolve) => (wake = resolve));
    if (beat.isDue()) yield ': nothing new\n\n';
    changed = false;
    page = await ask(page.nextToken === undefined ? position : { ...position, nextToken: page.nextToken });
  }
  refuseWhileEnding(deps);
}

function beats(wake: () => void): Disposable & { isDue(): boolean } {
  let due = false;
  const timer = setInterval(() => {
    due = true;
    wake();
  }, beatMs).unref();
  return {
    isDue() {
      const was = due;
      due = false;
      return was;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** What goes wrong once the answer has begun is its last event, `problem`. */
async function* endingWithProblem(
  chunks: AsyncGenerator<string>,
  { deps }: Pick<ApiOptions, 'deps'>,
  { requestId }: OperationContext,
): AsyncGenerator<string> {
  try {
    yield* chunks;
  } catch (error) {
    const shown = asGantryError(error, requestId, (fault) =>
      deps.log.error({ err: fault, requestId }, 'a stream broke'),
    );
    yield `event: problem\ndata: ${JSON.stringify(problemOf(shown, requestId))}\n\n`;
  }
}
