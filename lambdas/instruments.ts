/** What every function is watched by: its log, its metrics and, where it is switched on, its traces. */
import type { Log, Metrics } from '../control/deps.ts';
import type { CommonEnvironment } from './environment.ts';
import { type Context, openLog } from './log.ts';
import { openMetrics } from './metrics.ts';

export interface Tracing {
  /** Calls of this SDK client become parts of the trace. */
  capture(client: object): void;
  around<T>(name: string, run: () => Promise<T>): Promise<T>;
}

export type Handler<Event, Answer> = (event: Event, context: Context) => Promise<Answer>;

export interface Instruments {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  /** The handler that Lambda calls: its lines carry the invocation's id, and what it counted is written once it has answered. */
  watched<Event, Answer>(name: string, handle: Handler<Event, Answer>): Handler<Event, Answer>;
}

export async function openInstruments(environment: CommonEnvironment): Promise<Instruments> {
  const log = openLog(environment);
  const metrics = openMetrics(environment);
  const tracing = environment.POWERTOOLS_TRACE_ENABLED ? (await import('./tracer.ts')).openTracer() : undefined;
  return {
    log,
    metrics,
    tracing,
    watched: (name, handle) => async (event, context) => {
      log.begin(context);
      try {
        const run = () => handle(event, context);
        return await (tracing === undefined ? run() : tracing.around(name, run));
      } catch (error) {
        log.error({ err: error, function: name }, 'an invocation failed');
        throw error;
      } finally {
        metrics.flush();
      }
    },
  };
}
