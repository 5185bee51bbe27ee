/**
 * The API as one Hono app that knows neither Node nor Lambda: the ECS wire protocol at `POST /`, REST under /v1, the hosts' routes, the
 * documentation and health.
 */
import { type Context, Hono } from 'hono';
import { GantryError } from '../../core/errors.ts';
import type { ControlDeps } from '../deps.ts';
import type { Handlers } from '../operations/context.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { answerAwsJson } from './aws-json.ts';
import { addDocuments } from './documents.ts';
import { exchangeOf, type WatchOptions, watchExchanges } from './exchange.ts';
import type { MetricsPage, ReadinessChecks } from './probes.ts';
import { problemResponse } from './problem.ts';
import { addRestRoutes } from './rest.ts';
import type { StreamRefusals } from './streams.ts';
import type { Throttle } from './throttle.ts';

export interface ApiOptions extends WatchOptions {
  readonly deps: ControlDeps;
  readonly handlers: Handlers;
  readonly authenticator: Authenticator;
  /** Absent: everybody may ask as often as they like. */
  readonly throttle?: Throttle;
  /** `/hosts/v1/…`, which has its own authentication; absent where others serve hosts. */
  readonly hostsApp?: Hono;
  /** Where the platform cannot stream. */
  readonly refusals?: StreamRefusals;
  /** What must hold besides a store that answers, for `/readyz`. */
  readonly checks?: ReadinessChecks;
  /** Absent where metrics go elsewhere. */
  readonly metricsPage?: MetricsPage;
}

const metricsPaths = ['/metrics', '/metrics/containers'];

export function createApi(options: ApiOptions): Hono {
  const app = new Hono();
  app.use(watchExchanges(options));
  app.post('/', (c) => answerAwsJson(c, options));
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  addDocuments(app);
  // Loaded when it is first asked for: where the platform cannot stream, hardly anybody asks.
  let streams: Hono | undefined;
  app.get('/v1/clusters/:cluster/tasks/:task/:stream{watch|logs}', async (c) => {
    streams ??= (await import('./streams.ts')).createStreamApp(options);
    return streams.fetch(c.req.raw, c.env);
  });
  let eventStream: Hono | undefined;
  app.get('/v1/events/stream', async (c) => {
    eventStream ??= (await import('./event-stream.ts')).createEventStreamApp(options);
    return eventStream.fetch(c.req.raw, c.env);
  });
  let probes: Hono | undefined;
  const probe = async (c: Context): Promise<Response> => {
    probes ??= (await import('./probes.ts')).createProbeApp(options);
    return probes.fetch(c.req.raw, c.env);
  };
  app.get('/readyz', probe);
  if (options.metricsPage !== undefined) for (const path of metricsPaths) app.get(path, probe);
  addRestRoutes(app, options);
  if (options.hostsApp !== undefined) app.route('/', options.hostsApp);
  app.notFound((c) =>
    problemResponse(
      new GantryError('UnknownOperationException', `There is no ${c.req.method} ${c.req.path}.`, {
        hint: 'GET /docs shows the routes; ECS clients send POST / with X-Amz-Target.',
      }),
      exchangeOf(c).requestId,
    ),
  );
  app.onError((error, c) => {
    const exchange = exchangeOf(c);
    const { requestId } = exchange;
    exchange.error = 'ServerException';
    options.deps.log.error({ err: error, requestId, path: c.req.path }, 'a request failed');
    return problemResponse(
      new GantryError('ServerException', `Something went wrong in the control plane (request ${requestId}).`),
      requestId,
    );
  });
  return app;
}
