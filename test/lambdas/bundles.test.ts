/** What the build makes of the functions: sizes, what they leave out, and that they start as Lambda starts them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildLambdas } from '../../bin/build-lambdas.ts';
import { openDynamoDbTable } from '../../control/store/dynamodb.ts';
import { anyCredentials, type Dynoxide, startDynoxide } from '../support/dynoxide.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const names = ['api', 'events', 'fleet', 'hosts', 'resources', 'sweep', 'wake'];
/** Alone has a client of EC2, which is large; no request waits for its cold start. */
const withEc2 = 'fleet';

let outdir: string;
let metafiles: Map<string, Metafile>;
let dynamo: Dynoxide;

beforeAll(async () => {
  outdir = mkdtempSync(join(tmpdir(), 'gantry-lambdas-'));
  metafiles = await buildLambdas(repository, outdir);
  dynamo = await startDynoxide();
  const credentials = anyCredentials;
  await (
    await openDynamoDbTable({
      tableName: 'gantry',
      region: 'us-east-1',
      endpoint: dynamo.endpoint,
      credentials,
      create: true,
    })
  ).close();
});
afterAll(async () => {
  rmSync(outdir, { recursive: true, force: true });
  await dynamo[Symbol.asyncDispose]();
});

/** What the function reads at every cold start: its entry and the chunks that this imports; their bytes, and what they are made of. */
function loadedAtOnce(name: string): { readonly bytes: number; readonly inputs: readonly string[] } {
  const { outputs = {} } = metafiles.get(name) ?? {};
  const todo = Object.keys(outputs).filter((path) => path.endsWith(`${name}/index.mjs`));
  for (const path of todo) {
    for (const { kind, external, path: imported } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && external !== true && !todo.includes(imported)) todo.push(imported);
  }
  return {
    bytes: todo.reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0),
    inputs: todo.flatMap((path) => Object.keys(outputs[path]?.inputs ?? {})),
  };
}

describe('the bundles', () => {
  it('are one for each function', () => {
    expect([...metafiles.keys()].toSorted()).toEqual(names);
    for (const name of names) expect(readdirSync(join(outdir, 'lambdas', name))).toContain('index.mjs');
  });

  it.each(names)('%s is at most 500 KB, and loads nothing that it needs seldom', (name) => {
    const { bytes, inputs } = loadedAtOnce(name);
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThanOrEqual(500 * 1024);
    const seldom = /node_modules\/(@aws-sdk\/client-(ec2|kms|pricing)|aws-xray-sdk|@aws-lambda-powertools\/tracer)/;
    expect(inputs.filter((input) => seldom.test(input))).toEqual([]);
  });

  it('hold a client of EC2 only where hosts are bought, and no other way to find credentials than the environment', () => {
    const buying = [...metafiles].filter(([, { inputs }]) =>
      Object.keys(inputs).some((input) => /client-(ec2|pricing)/.test(input)),
    );
    expect(buying.map(([name]) => name)).toEqual([withEc2]);
    const inputs = [...metafiles.values()].flatMap((metafile) => Object.keys(metafile.inputs));
    expect(inputs.length).toBeGreaterThan(1000);
    expect(inputs.filter((input) => /credential-provider-(sso|ini|process)|client-sso/.test(input))).toEqual([]);
  });
});

/** Imports the bundle in a process that has the environment alone, and answers what it exports or the end of what it said. */
async function start(name: string, environment: Record<string, string>): Promise<{ code: number; output: string }> {
  const script = `const { handler } = await import(process.argv[1]); console.log('handler is a', typeof handler);`;
  const entry = join(outdir, 'lambdas', name, 'index.mjs');
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, entry], {
    // Outside of any package: what is not in the bundle is not found.
    cwd: '/',
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: Number(code), output: stdout + stderr };
}

describe('a cold start', () => {
  const environment = () => ({
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    GANTRY_TABLE: 'gantry',
    GANTRY_ACCOUNT_ID: '000000000000',
    GANTRY_EVENT_BUS: 'gantry',
    GANTRY_CONTROL_PLANE: 'Gantry/ControlPlane',
    GANTRY_FLEET_FUNCTION: 'gantry-fleet',
    GANTRY_WAKE_URL: 'wss://ws1.execute-api.us-east-1.amazonaws.com/prod',
    GANTRY_LOG_LEVEL: 'ERROR',
  });

  it.each(names)('of %s ends with a handler', async (name) => {
    expect(await start(name, environment())).toEqual({ code: 0, output: 'handler is a function\n' });
  });

  it('with traces loads them', async () => {
    const traced = { ...environment(), POWERTOOLS_TRACE_ENABLED: 'true', AWS_LAMBDA_FUNCTION_NAME: 'api' };
    expect(await start('api', traced)).toEqual({ code: 0, output: 'handler is a function\n' });
  });

  it.each([
    ['api', 'GANTRY_TABLE'],
    ['hosts', 'GANTRY_WAKE_URL'],
    ['events', 'GANTRY_EVENT_BUS'],
    ['fleet', 'GANTRY_CONTROL_PLANE'],
  ])('of %s without %s names it', async (name, variable) => {
    const { code, output } = await start(name, { ...environment(), [variable]: '' });
    expect(code).toBe(1);
    expect(output).toContain(variable);
  });
});
