/**
 * One request and its answer, for whoever watches: an id that the client gets too, whose it is, what it asks for, how it ends; and one
 * line of log about it. Decides nothing about either.
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { ControlDeps } from '../deps.ts';

export interface Exchange {
  readonly requestId: string;
  readonly transport: 'ecs' | 'rest' | 'hosts' | 'other';
  /** An operation of the API, or what else a path is for. Absent while nobody knows, and where nobody says. */
  operation?: string | undefined;
  /** ARN of who was recognised. */
  principal?: string;
  /** ECS' name of the error that was answered. */
  error?: string;
}

export interface EndedExchange extends Exchange {
  readonly status: number;
  /** Until its answer began: of a stream, not until its end. */
  readonly durationMs: number;
}

/** Runs the request, and looks at it meanwhile. */
export type WatchExchange = (
  exchange: Exchange,
  request: Request,
  run: () => Promise<EndedExchange>,
) => Promise<EndedExchange>;

export interface WatchOptions {
  readonly deps: Pick<ControlDeps, 'clock' | 'log' | 'newId'>;
  readonly watch?: WatchExchange;
  /** What whoever runs the app calls a request: then its log and ours say the same. */
  readonly requestIdOf?: (platform: unknown) => string | undefined;
  /** In few words, what a path is for that is no operation. */
  readonly purposeOf?: (path: string) => string | undefined;
  /** For calls that go well; `info` where nobody else writes a line about each request. */
  readonly requestLogLevel?: 'debug' | 'info';
}

/** Requests are handed on whole, from app to app. */
const exchanges = new WeakMap<Request, Exchange>();

/** Of a request that `watchExchanges` has seen first. */
export function exchangeOf({ req }: Context): Exchange {
  const exchange = exchanges.get(req.raw);
  if (exchange === undefined) throw new Error('a request without an id');
  return exchange;
}

export function watchExchanges(options: WatchOptions): MiddlewareHandler {
  const { deps, watch = (_exchange, _request, run) => run(), requestIdOf, purposeOf } = options;
  return async (c, next) => {
    const begunAt = deps.clock.now();
    const { path } = c.req;
    const exchange: Exchange = {
      requestId: requestIdOf?.(c.env) ?? deps.newId(),
      transport: transportOf(path),
      operation: purposeOf?.(path),
    };
    exchanges.set(c.req.raw, exchange);
    const ended = await watch(exchange, c.req.raw, async () => {
      await next();
      c.res.headers.set('x-amzn-requestid', exchange.requestId);
      return { ...exchange, status: c.res.status, durationMs: deps.clock.now() - begunAt };
    });
    writeLine(options, ended, c);
  };
}

const transportOf = (path: string): Exchange['transport'] => {
  if (path === '/') return 'ecs';
  if (path.startsWith('/v1/')) return 'rest';
  return path.startsWith('/hosts/') ? 'hosts' : 'other';
};

function writeLine({ deps: { log }, requestLogLevel = 'info' }: WatchOptions, ended: EndedExchange, c: Context): void {
  const { transport, status } = ended;
  const isCall = transport === 'ecs' || transport === 'rest';
  // Hosts and probes ask every few seconds, whatever happens.
  const level = status >= 400 ? 'info' : isCall ? requestLogLevel : 'debug';
  const about = ended.operation === undefined ? { method: c.req.method, path: c.req.path } : {};
  log[level]({ ...ended, ...about }, 'request');
}
