/** How the control plane is watched: request ids and the log, metrics, readiness and traces, as `gantry up` has them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSigner } from '../../client/signer.ts';
import { readinessChecks } from '../../local/watch/readiness.ts';
import { openWatch, type Watch } from '../../local/watch/watch.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';
import { fakeStats } from '../support/fake-stats.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { StatsSocket } from '../support/stats-socket.ts';

const noTraffic = {
  rxBytes: 0,
  rxPackets: 0,
  rxErrors: 0,
  rxDropped: 0,
  txBytes: 0,
  txPackets: 0,
  txErrors: 0,
  txDropped: 0,
};

let api: ApiServer;
let watch: Watch;
let collector: OtlpReceiver;
let storeFails = false;
let host: ScriptedHost;
const lines: Record<string, unknown>[] = [];

const variable = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const endpointBefore = process.env[variable];

beforeAll(async () => {
  collector = await startOtlpReceiver();
  // The exporter reads the environment itself.
  process.env[variable] = collector.endpoint;
  watch = await openWatch({ env: process.env, metricsAccess: 'local' });
  api = await startApi({
    watch: { ...watch, table: (table) => failing(watch.table(table)) },
    onLog: (line) => void lines.push({ ...line }),
  });
  const definition = { family: 'job', containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }] };
  await api.wire('RegisterTaskDefinition', definition);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
  if (endpointBefore === undefined) delete process.env[variable];
  else process.env[variable] = endpointBefore;
});

type Table = ReturnType<Watch['table']>;
const failing = (table: Table): Table => ({
  ...table,
  get: (...call) => (storeFails ? Promise.reject(new Error('the disk is gone')) : table.get(...call)),
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${api.endpoint}${path}`, init);

describe('a request', () => {
  it('has an id in its answer, whatever it asks for and however it ends', async () => {
    const answers = await Promise.all([
      ask('/healthz'),
      ask('/readyz'),
      ask('/metrics'),
      ask('/openapi.json'),
      ask('/nothing'),
      ask('/', { method: 'POST' }),
      ask('/v1/clusters'),
      ask('/v1/events/stream'),
      ask('/hosts/v1/register', { method: 'POST', body: '{}' }),
      api.wire('ListClusters', {}),
      api.wire('RunTask', {}),
      api.rest('GET', '/v1/clusters'),
      api.rest('GET', `/v1/clusters/default/tasks/${'a'.repeat(32)}/watch`),
    ]);
    const ids = answers.map(({ headers }) => headers.get('x-amzn-requestid'));
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has one line in the log, with whose it was, what it asked for and how it ended', async () => {
    const { headers } = await api.wire('RunTask', { taskDefinition: 'nothing' });
    const requestId = headers.get('x-amzn-requestid');
    expect(lines.filter((line) => line.requestId === requestId)).toMatchObject([
      {
        level: 30,
        msg: 'request',
        operation: 'RunTask',
        transport: 'ecs',
        principal: expect.stringContaining(':user/test-'),
        status: 400,
        error: 'ClientException',
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('of a probe is not worth a line unless something is wrong', async () => {
    lines.length = 0;
    await ask('/healthz');
    await ask('/nowhere');
    expect(lines).toMatchObject([
      { level: 20, operation: 'healthz', status: 200 },
      { level: 30, method: 'GET', path: '/nowhere', status: 404 },
    ]);
  });
});

describe('metrics', () => {
  const sampleOf = (text: string, series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1),
    );

  it('count requests, commits, hosts and what they have', async () => {
    host = await api.host();
    await api.wire('RunTask', { taskDefinition: 'job', count: 3 });
    await host.obey();
    const before = await (await ask('/metrics')).text();
    await api.wire('ListTasks', {});
    await api.wire('ListTasks', { cluster: 'nowhere' });
    await api.rest('POST', '/v1/clusters', { clusterName: 'counted' });
    const response = await ask('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const grown = (series: string): number => sampleOf(text, series) - (sampleOf(before, series) || 0);
    const requests = 'gantry_requests_total';
    expect(grown(`${requests}{transport="ecs",operation="ListTasks",outcome="ok"}`)).toBe(1);
    expect(grown(`${requests}{transport="ecs",operation="ListTasks",outcome="ClusterNotFoundException"}`)).toBe(1);
    expect(grown('gantry_request_duration_seconds_count{transport="rest",operation="CreateCluster"}')).toBe(1);
    expect(grown('gantry_store_commit_seconds_count{outcome="done"}')).toBe(1);
    expect(sampleOf(text, 'gantry_requests_in_flight')).toBe(1);
    expect(sampleOf(text, 'gantry_hosts{cluster="default",status="ACTIVE",connected="true"}')).toBe(1);
    expect(sampleOf(text, 'gantry_tasks_on_hosts{cluster="default"}')).toBe(3);
    expect(sampleOf(text, 'gantry_placement_latency_seconds_count{cluster="default"}')).toBeGreaterThan(0);
    expect(sampleOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('have few series, whatever is asked for', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => ask(`/path-${index}`)));
    const text = await (await ask('/metrics')).text();
    expect(text).not.toContain('path-1');
    expect(
      sampleOf(text, 'gantry_requests_total{transport="other",operation="unknown",outcome="404"}'),
    ).toBeGreaterThan(19);
  });

  it.each([
    ['through a proxy of this machine', { 'x-forwarded-for': '192.0.2.1' }],
    ['for a page of the web', { origin: 'https://example.com' }],
  ])('are not open to who asks %s without a signature', async (_, headers) => {
    expect((await ask('/metrics', { headers })).status).toBe(401);
  });

  it('are open to a key that may read everything, and to no other', async () => {
    const status = async (...key: Parameters<ApiServer['keyFor']>): Promise<number> => {
      const sign = createSigner(api.endpoint, { region: api.region, credentials: await api.keyFor(...key) });
      const url = new URL('/metrics', api.endpoint);
      const headers = await sign({ method: 'GET', url, body: undefined });
      return (await fetch(url, { headers: { ...headers, via: '1.1 proxy' } })).status;
    };
    expect(await status(['read'])).toBe(200);
    expect(await status(['read'], ['default'])).toBe(403);
    expect(await status(['run', 'administer'])).toBe(403);
  });
});

describe('metrics of containers', () => {
  const runs = (taskId: string) => ({
    taskId,
    container: 'app',
    stats: { ...fakeStats(60_000, 0, 64), network: { eth0: { ...noTraffic, rxBytes: 17 } } },
  });

  it('are what connected hosts say of their own tasks when somebody asks, and which of them did not', async () => {
    const others = 'f'.repeat(32);
    const socket = new StatsSocket(() => [...host.tasks.keys(), others].map(runs));
    api.control.hub.attachChannel(host.hostId, socket);
    await api.host({ name: 'without-channel' });
    const response = await ask('/metrics/containers');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n');
    const [task = ''] = host.tasks.keys();
    const labels = `cluster="default",host="${host.name}",family="job",revision="1",task="${task}",container="app"`;
    expect(lines).toContain(`gantry_container_cpu_usage_seconds_total{${labels}} 6`);
    expect(lines).toContain(`gantry_container_memory_limit_bytes{${labels}} ${64 * 1024 * 1024}`);
    expect(lines).toContain(`gantry_container_network_receive_bytes_total{${labels},interface="eth0"} 17`);
    expect(lines).toContain('# TYPE gantry_container_pids gauge');
    expect(lines).toContain(`gantry_host_stats_answered{cluster="default",host="${host.name}"} 1`);
    expect(lines).toContain('gantry_host_stats_answered{cluster="default",host="without-channel"} 0');
    expect(
      lines.filter((line) => line.includes(others)),
      'it is no task of this host',
    ).toEqual([]);
    expect(socket.asked).toBe(1);
  });

  it('are of one cluster on wish, which must be there', async () => {
    const text = await (await ask('/metrics/containers?cluster=counted')).text();
    expect(text).not.toContain('{');
    expect((await ask('/metrics/containers?cluster=nowhere')).status).toBe(404);
  });

  it('are open to a key of the cluster, and to no other', async () => {
    const sign = createSigner(api.endpoint, {
      region: api.region,
      credentials: await api.keyFor(['read'], ['default']),
    });
    const status = async (path: string): Promise<number> => {
      const url = new URL(path, api.endpoint);
      const headers = await sign({ method: 'GET', url, body: undefined });
      return (await fetch(url, { headers: { ...headers, via: '1.1 proxy' } })).status;
    };
    expect(await status('/metrics/containers?cluster=default')).toBe(200);
    expect(await status('/metrics/containers?cluster=counted')).toBe(403);
    expect(await status('/metrics/containers')).toBe(403);
    expect((await ask('/metrics/containers', { headers: { via: '1.1 proxy' } })).status).toBe(401);
  });
});

describe('readiness', () => {
  const readiness = async (server: ApiServer) => {
    const response = await fetch(`${server.endpoint}/readyz`);
    return [response.status, await response.json()];
  };

  it('is that the store answers and loops run', async () => {
    expect(await readiness(api)).toEqual([
      200,
      { status: 'ready', checks: { running: { ok: true }, store: { ok: true }, loops: { ok: true } } },
    ]);
  });

  it('is not where the store does not answer, though the process lives; nor while it shuts down', async () => {
    await using other = await startApi({ watch: { ...watch, table: (table) => failing(watch.table(table)) } });
    storeFails = true;
    expect(await readiness(other)).toMatchObject([
      503,
      { status: 'not ready', checks: { store: { ok: false, detail: 'the disk is gone' }, running: { ok: true } } },
    ]);
    expect((await fetch(`${other.endpoint}/healthz`)).status).toBe(200);
    storeFails = false;
    await using ending = await startApi({ watch });
    ending.control.end();
    expect(await readiness(ending)).toMatchObject([
      503,
      { checks: { store: { ok: true }, running: { ok: false, detail: 'it is shutting down' } } },
    ]);
  });

  it('is not where a loop has stopped to run', () => {
    let now = Date.now();
    const { deps, loops } = api.control;
    const checks = readinessChecks({ deps: { ...deps, clock: { now: () => now } }, loops });
    expect(checks.loops?.()).toBeUndefined();
    now += 24 * 3600_000;
    expect(checks.loops?.()).toContain('finish-requests');
  });
});

describe('traces', () => {
  it('have a span a call, with what it is made of, and what hosts did for it', async () => {
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const answer = await api.wire('RunTask', { taskDefinition: 'job' }, { traceparent: `00-${traceId}-${spanId}-01` });
    await api.wire('RunTask', { taskDefinition: 'job', count: 0 });
    await ask('/healthz');
    await host.obey();
    await watch.close();
    const { spans, resources } = collector;
    expect(resources[0]).toMatchObject({ 'service.name': 'gantry' });
    const call = spans.find(({ parentSpanId }) => parentSpanId === spanId);
    expect(call).toMatchObject({
      traceId,
      name: 'RunTask',
      attributes: {
        'gantry.request_id': answer.headers.get('x-amzn-requestid'),
        'enduser.id': expect.stringContaining(':user/test-'),
        'http.response.status_code': 200,
      },
    });
    const parts = spans.filter(({ parentSpanId }) => parentSpanId === call?.spanId);
    expect(parts.map(({ name }) => name).toSorted()).toEqual(
      ['commit', 'place', 'pull images', 'start', 'wait for a host'].toSorted(),
    );
    expect(spans.filter((span) => span.traceId === traceId)).toHaveLength(parts.length + 1);
    const refused = spans.filter(({ attributes }) => attributes['http.response.status_code'] === 400);
    expect(refused.map(({ name, attributes }) => [name, attributes['error.type']])).toContainEqual([
      'RunTask',
      'InvalidParameterException',
    ]);
    expect(spans.map(({ name }) => name)).not.toContain('healthz');
  });

  it('are not made where no collector is named', async () => {
    for (const env of [{}, { [variable]: collector.endpoint, OTEL_SDK_DISABLED: 'true' }])
      expect((await openWatch({ env, metricsAccess: 'local' })).tracing).toBeUndefined();
  });
});
