import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const module_ = fileURLToPath(new URL('../../lambdas/instruments.ts', import.meta.url));

/** Runs one invocation in a process of its own, because what is looked at is its output; answers its lines. */
async function invoke(body: string, environment: object): Promise<Record<string, unknown>[]> {
  const script = `
    const { openInstruments } = await import(${JSON.stringify(module_)});
    const { log, metrics, watched } = await openInstruments(${JSON.stringify(environment)});
    const context = { awsRequestId: 'request-7', functionName: 'f', getRemainingTimeInMillis: () => 1000 };
    await watched('test', async () => { ${body} })({}, context).catch(() => {});
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { POWERTOOLS_SERVICE_NAME: 'gantry', AWS_REGION: 'us-east-1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const on = { GANTRY_LOG_LEVEL: 'INFO', POWERTOOLS_METRICS_DISABLED: false, POWERTOOLS_TRACE_ENABLED: false };

describe('a line of the log', () => {
  it('has what it is about, its error, and the id of the invocation', async () => {
    const lines = await invoke(
      "log.debug({}, 'no'); log.warn({ cluster: 'c', err: new TypeError('oh') }, 'it broke');",
      on,
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'WARN',
      message: 'it broke',
      service: 'gantry',
      function_request_id: 'request-7',
      cluster: 'c',
      error: { name: 'TypeError', message: 'oh' },
    });
  });

  it('tells of an invocation that failed', async () => {
    expect(await invoke("throw new Error('oh');", on)).toMatchObject([
      { level: 'ERROR', message: 'an invocation failed', function: 'test', error: { message: 'oh' } },
    ]);
  });
});

describe('metrics', () => {
  const counts = `
    metrics.count('TasksPending', 3, { cluster: 'a' });
    metrics.count('PlacementLatencyMs', 20, { cluster: 'a' });
    metrics.count('PlacementLatencyMs', 40, { cluster: 'a' });
    metrics.count('LoopFailed', 1, { loop: 'audit' });
  `;

  it('are one line for each set of dimensions, in the embedded metric format', async () => {
    const lines = await invoke(counts, on);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ service: 'gantry', cluster: 'a', TasksPending: 3, PlacementLatencyMs: [20, 40] });
    expect(lines[0]?._aws).toMatchObject({
      CloudWatchMetrics: [
        {
          Namespace: 'Gantry',
          Dimensions: [['service', 'cluster']],
          Metrics: [
            { Name: 'TasksPending', Unit: 'Count' },
            { Name: 'PlacementLatencyMs', Unit: 'Milliseconds' },
          ],
        },
      ],
    });
    expect(lines[1]).toMatchObject({ loop: 'audit', LoopFailed: 1 });
  });

  it('are written of an invocation that failed, too', async () => {
    expect(await invoke(`${counts} throw new Error('oh');`, on)).toHaveLength(3);
  });

  it('are none where they are switched off', async () => {
    expect(await invoke(counts, { ...on, POWERTOOLS_METRICS_DISABLED: true })).toEqual([]);
  });
});
