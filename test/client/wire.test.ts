/** The typed client against a server that answers whatever the test says: what goes out, what comes back, what breaks. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

describe('on the wire the client', () => {
  const received: Received[] = [];
  let answer: (response: ServerResponse) => void | Promise<void>;
  let client: Client;
  const server = createServer((request, response) => void serve(request, response));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const { method, url, headers } = request;
    received.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
    await answer(response);
  }

  beforeEach(async () => {
    received.length = 0;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    client = createClient({ endpoint: `http://127.0.0.1:${address.port}`, region: 'eu-central-1' });
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const json =
    (body: unknown, status = 200) =>
    (response: ServerResponse): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

  it('puts members into path, query and body as the route says', async () => {
    answer = json({ taskArns: [] });
    const clusterArn = 'arn:aws:ecs:us-east-1:000000000000:cluster/x y';
    await client.call('ListTasks', { cluster: clusterArn, family: 'f&g', maxResults: 5 });
    await client.call('ListTasks', {});
    answer = json({ tasks: [], failures: [], warnings: [] });
    await client.call('RunTask', { taskDefinition: 'a/b', cluster: 'c', count: 2 });
    expect(received.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', `/v1/clusters/${encodeURIComponent(clusterArn)}/task-arns?family=f%26g&limit=5`, ''],
      ['GET', '/v1/clusters/default/task-arns', ''],
      ['POST', '/v1/clusters/c/tasks', '{"taskDefinition":"a/b","count":2}'],
    ]);
  });

  it('signs where it has keys, and not where it has none', async () => {
    answer = json({ taskArns: [] });
    await client.call('ListTasks', {});
    const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' };
    const signing = createClient({ endpoint: client.endpoint, region: 'eu-central-1', credentials });
    await signing.call('ListTasks', {});
    expect(received[0]?.headers.authorization).toBeUndefined();
    const scope = /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-central-1\/ecs\/aws4_request/;
    expect(received[1]?.headers.authorization).toMatch(scope);
    expect(received[1]?.headers['x-amz-security-token']).toBe('token');
  });

  it('throws the whole problem that was answered', async () => {
    const problem = { code: 'ClientException', detail: 'No.', field: 'family', hint: 'Do.', resourceIds: ['a'] };
    answer = json({ ...problem, status: 422, title: 'Client', requestId: 'r' }, 422);
    const { detail: message, ...rest } = problem;
    await expect(client.call('ListTasks', {})).rejects.toMatchObject({ name: 'GantryError', message, ...rest });
  });

  it('names the request where the server is at fault, once', async () => {
    const fault = { code: 'ServiceUnavailableException', detail: 'The store is gone.', hint: 'Wait.' };
    const answered = (problem: object) => (response: ServerResponse) =>
      void response.writeHead(503, { 'x-amzn-requestid': 'id-1' }).end(JSON.stringify(problem));
    answer = answered(fault);
    await expect(client.call('ListTasks', {})).rejects.toMatchObject({
      message: fault.detail,
      hint: "Wait. The control plane's log has it as request id-1.",
    });
    answer = answered({ ...fault, detail: 'It went wrong (request id-1).' });
    await expect(client.call('ListTasks', {})).rejects.toMatchObject({ hint: 'Wait.' });
  });

  it.each([
    ['another server', '<html>Not here</html>'],
    ['a problem that nobody knows', JSON.stringify({ code: 'Frobbed', detail: 'x' })],
  ])('says what %s answered', async (_, body) => {
    answer = (response) => void response.writeHead(404).end(body);
    await expect(client.call('ListTasks', {})).rejects.toMatchObject({
      code: 'ServerException',
      message: expect.stringContaining(`answered 404: ${body}`),
      hint: 'Is this the address of a Gantry control plane?',
    });
  });

  it('says that nobody answers, and why', async () => {
    answer = (response) => void response.destroy();
    await expect(client.call('ListTasks', {})).rejects.toMatchObject({
      code: 'ServiceUnavailableException',
      message: expect.stringMatching(/cannot be reached: .+\.$/),
    });
  });

  it('reads lines as they come, however they are cut', async () => {
    const line = { at: 1, container: 'a', stream: 'stdout', text: 'grüße' };
    const bytes = Buffer.from(`${JSON.stringify(line)}\n\n${JSON.stringify({ ...line, text: 'two' })}`);
    answer = async (response) => {
      response.writeHead(200);
      for (const byte of bytes) if (!response.write(Buffer.of(byte))) await once(response, 'drain');
      response.end();
    };
    const texts: string[] = [];
    for await (const { text } of client.logs({ cluster: 'default', task: 't', tail: 2, follow: true }))
      texts.push(text);
    expect(texts).toEqual(['grüße', 'two']);
    expect(received[0]?.url).toBe('/v1/clusters/default/tasks/t/logs?follow=true&tail=2');
  });

  it('throws the problem that a stream ends with', async () => {
    const problem = { code: 'ServiceUnavailableException', detail: 'The host went away.' };
    answer = (response) => void response.writeHead(200).end(`${JSON.stringify({ problem })}\n`);
    const reading = client.logs({ cluster: 'default', task: 't' }).next();
    await expect(reading).rejects.toMatchObject({ code: problem.code, message: problem.detail });
  });

  it('turns times into dates, and leaves alone the texts that look like them', async () => {
    const when = '2026-01-01T00:00:00.000Z';
    const definition = {
      taskDefinitionArn: 'a',
      family: when,
      revision: 1,
      status: 'INACTIVE',
      containerDefinitions: [],
      volumes: [],
      placementConstraints: [],
      networkMode: 'bridge',
      compatibilities: [],
      requiresAttributes: [],
      registeredAt: when,
      deregisteredAt: when,
      registeredBy: 'a',
    };
    answer = json({ taskDefinition: definition, tags: [{ key: 'k', value: when }] });
    const { taskDefinition, tags } = await client.call('DescribeTaskDefinition', { taskDefinition: 'x' });
    expect(taskDefinition).toMatchObject({
      family: when,
      registeredAt: new Date(when),
      deregisteredAt: new Date(when),
    });
    expect(tags).toEqual([{ key: 'k', value: when }]);
  });

  it('gives up at once when told to', async () => {
    const stop = new AbortController();
    answer = () => stop.abort();
    await expect(client.call('ListTasks', {}, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
