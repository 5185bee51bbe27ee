/**
 * What asks whether the control plane works, and how it does: `/readyz` for whoever sends it requests, `/metrics` for Prometheus, with
 * `/metrics/containers` for what containers use.
 * `/healthz` beside them only says that the process lives. Loaded when somebody asks.
 */
import { type Context, Hono } from 'hono';
import { GantryError } from '../../core/errors.ts';
import type { ControlDeps } from '../deps.ts';
import { askHosts } from '../hosts/ask-hosts.ts';
import { containersContentType, containersPage } from '../metrics/containers.ts';
import { activeClusterName } from '../operations/references.ts';
import { livelyClusterNames } from '../store/clusters.ts';
import { getStoreMeta } from '../store/store-meta.ts';
import type { ApiOptions } from './app.ts';
import { authorize, authorizeCluster, authorizeStore } from './auth/policy.ts';
import { exchangeOf } from './exchange.ts';
import { problemResponse } from './problem.ts';
import { answerRest } from './rest.ts';

/** By its name: what is wrong, as a sentence, or nothing. */
export type ReadinessChecks = Readonly<Record<string, () => string | undefined | Promise<string | undefined>>>;

export interface MetricsPage {
  readonly contentType: string;
  /** Whether whoever asks needs no signature: who is on this machine, or everybody. */
  readonly isOpenTo: (request: Request, platform: unknown) => boolean;
  render(): Promise<string>;
}

interface Readiness {
  readonly status: 'ready' | 'not ready';
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

/** A check that takes longer has failed. */
const longestCheckMs = 2000;
/** Whoever asks more often is told the same again: nobody makes the store work by asking. */
const rememberedMs = 1000;

export function createProbeApp(options: ApiOptions): Hono {
  const app = new Hono();
  const { deps, checks = {}, metricsPage } = options;
  const own: ReadinessChecks = {
    running: () => (deps.ending?.aborted === true ? 'it is shutting down' : undefined),
    store: () => storeFault(deps),
  };
  const look = remembering(deps, () => examine(deps, { ...own, ...checks }));
  app.get('/readyz', async (c) => {
    const readiness = await look();
    return c.json(readiness, readiness.status === 'ready' ? 200 : 503, { 'cache-control': 'no-store' });
  });
  if (metricsPage !== undefined) addMetrics(app, options, metricsPage);
  return app;
}

function addMetrics(app: Hono, options: ApiOptions, metrics: MetricsPage): void {
  app.get('/metrics', (c) => {
    const page = async () => new Response(await metrics.render(), { headers: { 'content-type': metrics.contentType } });
    if (metrics.isOpenTo(c.req.raw, c.env)) return page();
    return answerRest(c, options, ({ principal }) => {
      authorize(principal, 'read');
      authorizeStore(principal, 'read metrics');
      return page();
    });
  });
  /** Who asks while others do gets what they get: hosts are not asked more often because more are looking. */
  const asking = new Map<string, Promise<string>>();
  app.get('/metrics/containers', (c) => {
    const cluster = c.req.query('cluster');
    const page = async () => {
      const asked = asking.get(cluster ?? '') ?? containers(options.deps, cluster);
      asking.set(cluster ?? '', asked);
      try {
        return new Response(await asked, { headers: { 'content-type': containersContentType } });
      } finally {
        asking.delete(cluster ?? '');
      }
    };
    if (metrics.isOpenTo(c.req.raw, c.env)) return page().catch((error: unknown) => refusal(error, c));
    return answerRest(c, options, ({ principal }) => {
      authorize(principal, 'read');
      if (cluster === undefined) authorizeStore(principal, 'read metrics of all clusters');
      else authorizeCluster(principal, cluster);
      return page();
    });
  });
}

/** Of one cluster, or of all. */
async function containers(deps: ControlDeps, cluster: string | undefined): Promise<string> {
  const names =
    cluster === undefined
      ? await livelyClusterNames(deps.table, deps.clock.now())
      : [await activeClusterName(deps, cluster)];
  return containersPage(await askHosts(deps, names));
}

function refusal(error: unknown, c: Context): Response {
  if (!(error instanceof GantryError)) throw error;
  return problemResponse(error, exchangeOf(c).requestId);
}

/** One look at a time, and at most one in so long. */
function remembering(
  { clock }: Pick<ControlDeps, 'clock'>,
  examine: () => Promise<Readiness>,
): () => Promise<Readiness> {
  let last: { readonly at: number; readonly readiness: Promise<Readiness> } | undefined;
  return () => {
    const now = clock.now();
    if (last === undefined || now - last.at >= rememberedMs || now < last.at) last = { at: now, readiness: examine() };
    return last.readiness;
  };
}

async function examine(deps: Pick<ControlDeps, 'sleep'>, checks: ReadinessChecks): Promise<Readiness> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const detail = await inTime(deps, async () => check());
      return [name, detail === undefined ? { ok: true } : { ok: false, detail }] as const;
    }),
  );
  const status = results.every(([, { ok }]) => ok) ? 'ready' : 'not ready';
  return { status, checks: Object.fromEntries(results) };
}

async function inTime(
  { sleep }: Pick<ControlDeps, 'sleep'>,
  check: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const over = new AbortController();
  const late = sleep(longestCheckMs, over.signal).then(() => `it took longer than ${longestCheckMs} ms`);
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    over.abort();
  }
}

/** A strong read of what every store has. */
const storeFault = async ({ table }: Pick<ControlDeps, 'table'>): Promise<string | undefined> =>
  (await getStoreMeta(table)) === undefined ? 'the store has lost what it is' : undefined;
