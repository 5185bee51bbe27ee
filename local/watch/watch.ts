/**
 * How the control plane of one machine is watched: its metrics and who may read them, its traces where a collector is named, and whether it
 * is ready.
 */
import type { Control } from '../../control/create.ts';
import type { Metrics, Tracing } from '../../control/deps.ts';
import type { ApiOptions } from '../../control/http/app.ts';
import type { EndedExchange, WatchExchange } from '../../control/http/exchange.ts';
import type { MetricsPage } from '../../control/http/probes.ts';
import type { Table } from '../../control/store/table.ts';
import { remoteAddress } from '../http-server.ts';
import { readGauges } from './gauges.ts';
import { openPrometheus, type Prometheus } from './prometheus.ts';
import { purposeOf } from './purposes.ts';
import { readinessChecks } from './readiness.ts';
import { type WatchCommit, watchedTable } from './watched-table.ts';

/** Who may read metrics without a signature: this machine alone, or whoever reaches the port. */
export type MetricsAccess = 'local' | 'open';

export interface Watch {
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  /** The same store, watched. */
  table(table: Table): Table;
  /** What the API needs to be watched. */
  api(control: Control): Pick<ApiOptions, 'watch' | 'purposeOf' | 'checks' | 'metricsPage'>;
  close(): Promise<void>;
}

export interface WatchOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly metricsAccess: MetricsAccess;
}

export async function openWatch({ env, metricsAccess }: WatchOptions): Promise<Watch> {
  const prometheus = openPrometheus();
  const tracing = isTraced(env) ? (await import('./tracing.ts')).openTracing(env) : undefined;
  const count = countExchanges(prometheus);
  const countCommit = countCommits(prometheus);
  return {
    metrics: prometheus.metrics,
    tracing,
    table: (table) =>
      watchedTable(table, (changes, run) => {
        const commit = (): ReturnType<typeof run> => countCommit(changes, run);
        return tracing === undefined ? commit() : tracing.within('commit', { changes }, commit);
      }),
    api: (control) => ({
      watch: (exchange, request, run) => {
        const counted = (): ReturnType<typeof run> => count(exchange, request, run);
        return tracing === undefined ? counted() : tracing.watch(exchange, request, counted);
      },
      purposeOf,
      checks: readinessChecks(control),
      metricsPage: metricsPage(control, prometheus, metricsAccess),
    }),
    close: async () => tracing?.close(),
  };
}

/** By OpenTelemetry's own names: a collector is named, and nothing switches it off. */
const isTraced = (env: WatchOptions['env']): boolean =>
  [env.OTEL_EXPORTER_OTLP_ENDPOINT, env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT].some(Boolean) &&
  env.OTEL_SDK_DISABLED !== 'true' &&
  env.OTEL_TRACES_EXPORTER !== 'none';

function countExchanges(to: Prometheus): WatchExchange {
  return async (_exchange, _request, run) => {
    to.move('RequestsInFlight', 1);
    const begunAt = performance.now();
    try {
      const ended = await run();
      countEnded(to, ended, performance.now() - begunAt);
      return ended;
    } finally {
      to.move('RequestsInFlight', -1);
    }
  };
}

/** A path that there is not is no operation: labels have few values. */
function countEnded(
  to: Prometheus,
  { transport, operation = 'unknown', status, error }: EndedExchange,
  durationMs: number,
): void {
  const outcome = error ?? (status < 400 ? 'ok' : String(status));
  to.note('Requests', 1, { transport, operation, outcome });
  to.note('RequestDurationMs', durationMs, { transport, operation });
}

const countCommits =
  (to: Prometheus): WatchCommit =>
  async (_changes, run) => {
    const begunAt = performance.now();
    let outcome = 'failed';
    try {
      const result = await run();
      outcome = result.outcome;
      return result;
    } finally {
      to.note('StoreCommitMs', performance.now() - begunAt, { outcome });
    }
  };

/** Others sign as for any read. */
const metricsPage = (control: Control, from: Prometheus, access: MetricsAccess): MetricsPage => ({
  contentType: from.contentType,
  isOpenTo: (request, platform) => access === 'open' || isFromHere(request, platform),
  async render() {
    await readGauges(control, from);
    return from.render();
  },
});

/** Not what a proxy on this machine hands on for others, nor a page of the web whose name leads here. */
const isFromHere = ({ url, headers }: Request, platform: unknown): boolean =>
  remoteAddress(platform) === undefined &&
  !['x-forwarded-for', 'forwarded', 'via', 'origin'].some((name) => headers.has(name)) &&
  /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
