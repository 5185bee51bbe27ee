/** Who may call: requests signed by AWS' own clients, and what those read when a signature is not right. */

import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { json } from 'node:stream/consumers';
import {
  DescribeClustersCommand,
  type ECSClient,
  ListClustersCommand,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Credentials } from '../../client/signer.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';
import { run } from '../support/cloud.ts';
import { describeUnless } from '../support/containers.ts';

let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const definition = { family: 'signed', containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }] };
const clusters = ['arn:aws:ecs:us-east-1:000000000000:cluster/default'];

describe('the AWS SDK', () => {
  const failing = (client: ECSClient) => client.send(new ListClustersCommand({}));

  it('is answered when it signs with a key of ours', async () => {
    const { clusterArns, $metadata } = await api.ecs().send(new ListClustersCommand({}));
    expect(clusterArns).toEqual(clusters);
    expect($metadata.requestId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is answered when it sends a session token beside the key', async () => {
    const client = api.ecs({ credentials: { ...api.credentials, sessionToken: 'a-session' } });
    expect((await failing(client)).clusterArns).toEqual(clusters);
  });

  it.each<[string, (api: ApiServer) => ECSClient, string, RegExp]>([
    [
      'with a wrong secret',
      ({ ecs, credentials }) => ecs({ credentials: { ...credentials, secretAccessKey: 'wrong' } }),
      'InvalidSignatureException',
      /does not match the signature you provided/,
    ],
    [
      'with a key that nobody issued',
      ({ ecs }) => ecs({ credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' } }),
      'UnrecognizedClientException',
      /security token included in the request is invalid.*AKIAIOSFODNN7EXAMPLE/,
    ],
    [
      'with a clock that is late',
      ({ ecs }) => ecs({ systemClockOffset: -600_000 }),
      'InvalidSignatureException',
      /^Signature expired: /,
    ],
    [
      'with a clock that is early',
      ({ ecs }) => ecs({ systemClockOffset: 600_000 }),
      'InvalidSignatureException',
      /^Signature not yet current: /,
    ],
    [
      'for another region',
      ({ ecs }) => ecs({ region: 'eu-west-1' }),
      'InvalidSignatureException',
      /this control plane is us-east-1.*AWS_REGION=us-east-1/,
    ],
  ])('is refused %s', async (_, clientOf, name, message) => {
    await expect(failing(clientOf(api))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
      $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  it('sets its clock by our answer and tries again', async () => {
    const client = api.ecs({ systemClockOffset: -3_600_000, maxAttempts: 2 });
    expect((await failing(client)).$metadata.attempts).toBe(2);
  });

  it('is refused what its key does not allow, and allowed what it does', async () => {
    const client = api.ecs({ credentials: await api.keyFor(['read']) });
    expect((await client.send(new DescribeClustersCommand({}))).clusters).toHaveLength(1);
    await expect(client.send(new RegisterTaskDefinitionCommand(definition))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('not allowed to register'),
    });
  });
});

describe('a signed request that was changed on its way', () => {
  it.each<[string, (request: Sent) => Sent, string]>([
    ['in nothing', (request) => request, ''],
    [
      'in its body',
      (request) => ({ ...request, body: request.body.replace('64', '65') }),
      'was changed after it was signed',
    ],
    [
      'in its body and the hash beside it',
      (request) => {
        const { 'x-amz-content-sha256': _, ...headers } = request.headers;
        return { headers, body: request.body.replace('64', '65') };
      },
      'x-amz-content-sha256',
    ],
    [
      'in its operation',
      (request) => withHeader(request, 'x-amz-target', 'AmazonEC2ContainerServiceV20141113.RunTask'),
      'does not match',
    ],
    ['in its date', (request) => withHeader(request, 'x-amz-date', soonAfter(request)), 'does not match'],
    ['in the host that it is for', (request) => withHeader(request, 'host', 'elsewhere'), 'does not match'],
  ])('%s', async (_, change, message) => {
    const { headers, body } = change(await signedRequest(api));
    const answer = await send(api.endpoint, headers, body);
    expect(answer.status).toBe(message === '' ? 200 : 400);
    if (message === '') return;
    expect(answer.body).toMatchObject({
      __type: 'InvalidSignatureException',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ['its operation', 'x-amz-target'],
    ['a session token', 'x-amz-security-token'],
  ])('is refused where %s was not signed', async (_, name) => {
    const { headers, body } = await signedRequest(api, name);
    const answer = await send(
      api.endpoint,
      { ...headers, [name]: 'AmazonEC2ContainerServiceV20141113.ListTasks' },
      body,
    );
    expect(answer).toMatchObject({ status: 400, body: { message: `The header ${name} must be sent and signed.` } });
  });

  it('is refused without any signature, and with half of one', async () => {
    const { headers, body } = await signedRequest(api);
    const { authorization, ...unsigned } = headers;
    const none = await send(api.endpoint, unsigned, body);
    expect(none).toMatchObject({ status: 400, body: { __type: 'MissingAuthenticationTokenException' } });
    const half = await send(
      api.endpoint,
      { ...unsigned, authorization: String(authorization).split(',')[0] ?? '' },
      body,
    );
    expect(half).toMatchObject({ status: 400, body: { __type: 'IncompleteSignatureException' } });
  });
});

describeUnless(existsSync('/usr/bin/aws') ? undefined : 'needs /usr/bin/aws', 'the AWS command line', () => {
  const aws = ({ accessKeyId, secretAccessKey }: Credentials, ...args: string[]) =>
    run('/usr/bin/aws', ['ecs', ...args, '--endpoint-url', api.endpoint, '--output', 'json'], {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: api.region,
      AWS_EC2_METADATA_DISABLED: 'true',
    });

  it('is answered when it signs with a key of ours', async () => {
    const { code, stdout, stderr } = await aws(api.credentials, 'list-clusters');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ clusterArns: clusters });
  });

  it.each([
    ['a wrong secret', { secretAccessKey: 'wrong' }, 'InvalidSignatureException'],
    ['a key that nobody issued', { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }, 'UnrecognizedClientException'],
  ])('is refused with %s', async (_, wrong, name) => {
    const { code, stderr } = await aws({ ...api.credentials, ...wrong }, 'list-clusters');
    expect(code).toBe(254);
    expect(stderr).toContain(`An error occurred (${name}) when calling the ListClusters operation: `);
  });

  it('is told of the operation that is not built, by its name', async () => {
    const { code, stderr } = await aws(api.credentials, 'list-services');
    expect(code).toBe(254);
    expect(stderr).toContain('(UnsupportedFeatureException)');
    expect(stderr).toContain('does not support the operation ListServices yet');
  });
});

describe('without authentication', () => {
  it('everybody is the administrator', async () => {
    await using open = await startApi({ auth: 'none' });
    const answer = await send(
      open.endpoint,
      { 'x-amz-target': 'AmazonEC2ContainerServiceV20141113.ListClusters' },
      '{}',
    );
    expect(answer).toMatchObject({ status: 200, body: { clusterArns: clusters } });
  });
});

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const withHeader = (request: Sent, name: string, value: string): Sent => ({
  ...request,
  headers: { ...request.headers, [name]: value },
});

/** A second later: within what clocks may differ by. */
function soonAfter({ headers }: Sent): string {
  const date = headers['x-amz-date'] ?? '';
  const seconds = Number(date.slice(13, 15));
  return `${date.slice(0, 13)}${String(seconds === 59 ? 58 : seconds + 1).padStart(2, '0')}Z`;
}

/** What AWS' client would have sent to the API, without a header where one is named; caught before it gets there. */
async function signedRequest({ ecs, endpoint }: ApiServer, without?: string): Promise<Sent> {
  const client = ecs();
  client.middlewareStack.add(
    (next) => (args) => {
      if (without !== undefined) delete Object(args.request).headers[without];
      return next(args);
    },
    { step: 'build', priority: 'low', name: 'leave-out' },
  );
  let caught: Sent | undefined;
  client.middlewareStack.add(
    () =>
      async ({ request }) => {
        const { headers, body } = Object(request);
        caught = { headers, body: new TextDecoder().decode(body) };
        throw new Error('caught');
      },
    { step: 'finalizeRequest', priority: 'low', name: 'catch' },
  );
  await expect(client.send(new RegisterTaskDefinitionCommand(definition))).rejects.toThrow('caught');
  if (caught === undefined) throw new Error(`nothing was sent to ${endpoint}`);
  return caught;
}

/** By node:http: fetch would set the host itself. */
function send(endpoint: string, headers: Readonly<Record<string, string>>, body: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: unknown }>();
  const request = httpRequest(endpoint, { method: 'POST', headers }, (response) => {
    json(response).then((content) => resolve({ status: response.statusCode, body: content }), reject);
  });
  request.on('error', reject).end(body);
  return promise;
}
