/**
 * `cdk bootstrap`, `deploy`, update and `destroy` on a third-party emulator with IAM enforced, and a task's life in between: through its
 * API Gateway, its Lambda and its DynamoDB to a real container on this machine. What the emulator cannot do is named in
 * docs/emulator.md; the shape on loopback (test/cloud) has those.
 */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../agent/clock.ts';
import { startRealMachine } from '../agent/runtime/real-host.ts';
import { run } from '../support/cloud.ts';
import { agentDirectory, startAgent } from '../support/test-agent.ts';
import { type Deployment, deploymentOn, type Outputs, pointAtLoopback } from './deployment.ts';
import { type Front, startFront } from './front.ts';
import { type Emulator, startEmulator } from './ministack.ts';

/** No instance: the emulator has no AWS::EC2::Instance. No alarms: it knows no metric math. */
const context = {
  hosts: '0',
  alarms: 'false',
  wireFront: 'http-api',
  removalPolicy: 'destroy',
  hostsReservedConcurrency: '0',
  heartbeatSeconds: '10',
};

const stack = new AsyncDisposableStack();
let emulator: Emulator;
let deployment: Deployment;
let outputs: Outputs;
let api: Front;
let sockets: Front;

beforeAll(async () => {
  emulator = stack.use(await startEmulator());
  deployment = deploymentOn(emulator);
});
afterAll(() => stack.disposeAsync());

it('bootstraps and deploys', async () => {
  expect(await deployment.cdk('bootstrap', 'aws://000000000000/us-east-1')).toMatchObject({ code: 0 });
  outputs = await deployment.deploy(context);
  api = stack.use(await startFront(emulator, outputs.ApiId));
  sockets = stack.use(await startFront(emulator, outputs.WebSocketApiId));
  await useLoopback();
});

it('answers REST to whom IAM lets through, and to nobody else', async () => {
  expect((await rest('GET', '/v1/clusters', undefined, { signed: false })).status).toBe(403);
  const { status, body } = await rest('GET', '/v1/clusters');
  expect({ status, body }).toMatchObject({ status: 200, body: { clusterArns: [expect.stringContaining('/default')] } });
});

it('runs a container on a host of this machine for the AWS CLI, and leaves it alone while the stack is updated', async () => {
  const machine = stack.use(await startRealMachine());
  const host = stack.use(await machine.host());
  const { body: admission } = await rest('POST', '/v1/clusters/default/join-tokens', {});
  const agent = await startAgent({
    directory: stack.use(agentDirectory()).path,
    host: { open: () => host.reopen() },
    controlPlane: { url: api.url },
    clock: systemClock,
    entitlement: async () => ({ token: z.object({ joinToken: z.string() }).parse(admission).joinToken }),
  });
  stack.defer(() => agent.stop());

  const made = await rest('POST', '/v1/access-keys', {
    userName: 'cli',
    actions: ['read', 'run', 'register', 'administer'],
  });
  const key = keySchema.parse(made.body);
  const ecs = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(
      '/usr/bin/aws',
      ['ecs', ...args, '--endpoint-url', api.url, '--output', 'json'],
      {
        PATH: process.env.PATH,
        AWS_ACCESS_KEY_ID: key.accessKey.accessKeyId,
        AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_PAGER: '',
      },
    );
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout === '' ? '{}' : stdout);
  };

  await ecs('register-task-definition', '--cli-input-json', JSON.stringify(sleeper(machine.image)));
  await vi.waitFor(
    async () =>
      expect(
        (await ecs('describe-container-instances', '--container-instances', ...(await instances(ecs))))
          .containerInstances,
      ).toMatchObject([{ agentConnected: true, status: 'ACTIVE' }]),
    { timeout: 60_000, interval: 500 },
  );
  const ran = await ecs('run-task', '--task-definition', 'sleeper');
  expect(ran.failures).toEqual([]);
  const [{ taskArn }] = ran.tasks;
  await ecs('wait', 'tasks-running', '--tasks', taskArn);
  const before = await ecs('describe-tasks', '--tasks', taskArn);

  await deployment.deploy({ ...context, heartbeatSeconds: '11', tracing: 'false', dashboard: 'false' });
  await useLoopback();
  const after = await ecs('describe-tasks', '--tasks', taskArn);
  expect(after.tasks[0]).toMatchObject({ lastStatus: 'RUNNING', startedAt: before.tasks[0].startedAt });
  expect(after.tasks[0].containers[0].runtimeId).toBe(before.tasks[0].containers[0].runtimeId);

  await ecs('stop-task', '--task', taskArn, '--reason', 'enough');
  await ecs('wait', 'tasks-stopped', '--tasks', taskArn);
  expect((await ecs('describe-tasks', '--tasks', taskArn)).tasks[0]).toMatchObject({ stoppedReason: 'enough' });
  await agent.stop();
  for (const arn of await instances(ecs)) await ecs('deregister-container-instance', '--container-instance', arn);
});

it('is destroyed once nothing runs', async () => {
  expect(await deployment.cdk('destroy', '--force')).toMatchObject({ code: 0 });
});

const keySchema = z.object({ accessKey: z.object({ accessKeyId: z.string() }), secretAccessKey: z.string() });

const sleeper = (image: string) => ({
  family: 'sleeper',
  containerDefinitions: [{ name: 'main', image, memory: 32, command: ['sleep', '1000'] }],
});

type Ecs = (...args: string[]) => Promise<{ containerInstanceArns: string[] }>;
const instances = async (ecs: Ecs) => (await ecs('list-container-instances')).containerInstanceArns;

const useLoopback = () =>
  pointAtLoopback(deployment, [
    {
      from: `https://${outputs.WebSocketApiId}.execute-api.us-east-1.amazonaws.com`,
      to: `${emulator.endpoint}/_aws/execute-api/${outputs.WebSocketApiId}`,
    },
    {
      from: `wss://${outputs.WebSocketApiId}.execute-api.us-east-1.amazonaws.com`,
      to: sockets.url.replace('http:', 'ws:'),
    },
  ]);

/** As IAM's root user of the emulator; the signature is for the API's own host, which the front puts in. */
async function rest(method: string, path: string, input?: object, { signed = true } = {}) {
  const body = input && JSON.stringify(input);
  const unsigned = {
    method,
    protocol: 'https:',
    hostname: api.apiHost,
    path,
    query: {},
    headers: { host: api.apiHost, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body }),
  };
  const signer = new SignatureV4({
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    region: 'us-east-1',
    service: 'execute-api',
    sha256: Sha256,
  });
  const { headers } = signed ? await signer.sign(unsigned) : unsigned;
  const answer = await fetch(`${api.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}
