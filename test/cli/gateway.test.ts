/** The command line before a control plane that cannot stream and whose callers IAM knows, as on AWS. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { connectionOf } from '../../cli/connection.ts';
import { createClient } from '../../client/client.ts';
import { openDesk, startCommand } from './support/desk.ts';
import { changeObservation, runOne } from './support/scene.ts';

const gateway = 'https://abc123.execute-api.eu-west-1.amazonaws.com';
const aws = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'a-session' };
const keys = { AWS_ACCESS_KEY_ID: 'GKEXAMPLE', AWS_SECRET_ACCESS_KEY: 'other' };

describe('where nothing is streamed', () => {
  it('a task is followed to its end by long polls, and its last lines are told when there are any', async () => {
    await using desk = await openDesk({ streams: false });
    const host = await desk.world.host();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--follow']);
    await running.said('placed on host-1');
    await desk.asked('version=1&wait=changed');
    await host.obey();
    await running.said('The last lines of');
    const [id = ''] = [...host.tasks.keys()];
    host.end(id, 3);
    changeObservation(host, id, ({ containers }) => ({
      containers: containers.map((container) => ({
        ...container,
        lastLogLines: [{ at: desk.world.now(), container: 'app', stream: 'stdout', text: 'so it ends' }],
      })),
    }));
    await host.report();
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 3, stdout: 'so it ends\n' });
    expect(stderr).toMatch(
      /There are no live logs behind API Gateway.*follow once it has stopped\..*exited with code 3/s,
    );
  });

  it('logs of what runs are refused with what to do, or waited for with -f', async () => {
    await using desk = await openDesk({ streams: false });
    const host = await desk.world.host();
    await desk.world.register('job');
    const id = await runOne(desk, 'job');
    await host.obey();
    expect(await desk.gantry(['logs', id])).toMatchObject({ code: 1, stderr: expect.stringContaining('GetTask') });
    const following = desk.start(['logs', id, '-f']);
    await following.said('follow once it has stopped.');
    host.end(id);
    await host.report();
    expect(await following.ended).toMatchObject({ code: 0, stdout: '' });
  });
});

describe('which control plane', () => {
  const surroundings = {
    env: keys,
    contexts: { read: () => ({ contexts: {} }) },
    localConnection: () => undefined,
    awsCredentials: () => Promise.resolve(aws),
  };

  it.each([
    [gateway, {}, {}, { region: 'eu-west-1', signingService: 'execute-api', credentials: surroundings.awsCredentials }],
    [`${gateway}.cn`, { AWS_REGION: 'us-east-1' }, {}, { region: 'eu-west-1', signingService: 'execute-api' }],
    [gateway, {}, { region: 'eu-west-2' }, { region: 'eu-west-2' }],
    ['https://gantry.example.com', { AWS_REGION: 'eu-west-3' }, {}, { region: 'eu-west-3', signingService: 'ecs' }],
    [
      'https://gantry.example.com',
      { GANTRY_SIGNING_SERVICE: 'execute-api' },
      {},
      { region: 'us-east-1', credentials: surroundings.awsCredentials },
    ],
  ])('%s is signed for by what it is and what the environment says', (endpoint, env, named, expected) => {
    const connection = connectionOf({ endpoint, ...named }, { ...surroundings, env: { ...keys, ...env } });
    expect(connection).toMatchObject({ endpoint, ...expected });
    if (connection.signingService === 'ecs') expect(connection.credentials).toMatchObject({ accessKeyId: 'GKEXAMPLE' });
  });

  it.each([
    [['ps', '--endpoint', 'abc123'], {}, /abc123 is no URL of a control plane.*https:/s],
    [['ps'], { GANTRY_ENDPOINT: gateway, GANTRY_SIGNING_SERVICE: 's3' }, /GANTRY_SIGNING_SERVICE.*'s3'.*execute-api/s],
  ])('%j that is named wrongly is told', async (argv, env, message) => {
    const { code, stderr } = await startCommand(argv, { env }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe('a request to API Gateway', () => {
  /** Answers everything so, and keeps what it was asked. */
  async function answering(status: number, body: object) {
    const asked: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
    const server = createServer(({ url, headers }, response) => {
      asked.push({ url, headers });
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const stop = async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    return { endpoint, asked, [Symbol.asyncDispose]: stop };
  }

  it('is signed for execute-api with the credentials of AWS, session and all', async () => {
    await using server = await answering(200, { tasks: [] });
    const env = { ...keys, GANTRY_ENDPOINT: server.endpoint, GANTRY_SIGNING_SERVICE: 'execute-api' };
    const awsCredentials = () => Promise.resolve(aws);
    expect(await startCommand(['ps', '--region', 'eu-west-1'], { env, awsCredentials }).ended).toMatchObject({
      code: 0,
    });
    const headers = server.asked[0]?.headers;
    expect(headers?.authorization).toMatch(/Credential=ASIAEXAMPLE\/\d{8}\/eu-west-1\/execute-api\/aws4_request/);
    expect(headers?.['x-amz-security-token']).toBe('a-session');
  });

  it('that makes a key leaves the endpoint of ECS clients to the outputs of the stack', async () => {
    const principalArn = 'arn:aws:iam::123456789012:user/ci';
    const rights = { actions: ['read'], taskRoles: [], hostAccess: [] };
    const accessKey = { accessKeyId: 'GKIAEXAMPLE', principalArn, ...rights, createdAt: new Date(0) };
    await using server = await answering(201, { accessKey, secretAccessKey: 'hush' });
    const env = { GANTRY_ENDPOINT: server.endpoint, GANTRY_SIGNING_SERVICE: 'execute-api' };
    const argv = ['keys', 'create', 'ci', '--all-clusters', '--region', 'eu-west-1'];
    expect(await startCommand(argv, { env, awsCredentials: () => Promise.resolve(aws) }).ended).toEqual({
      code: 0,
      stdout: 'export AWS_REGION=eu-west-1\nexport AWS_ACCESS_KEY_ID=GKIAEXAMPLE\nexport AWS_SECRET_ACCESS_KEY=hush\n',
      stderr: expect.stringContaining("AWS_ENDPOINT_URL_ECS: the stack's output WireEndpoint."),
    });
  });

  it.each([
    [403, 'Forbidden', 'AccessDeniedException', /execute-api:Invoke/],
    [429, 'Too Many Requests', 'ThrottlingException', /Ask again/],
    [503, 'Service Unavailable', 'ServiceUnavailableException', /Ask again/],
    [504, 'Endpoint request timed out', 'ServiceUnavailableException', /Ask again/],
  ])('that it answers itself with %i says so in our terms', async (status, message, code, hint) => {
    await using server = await answering(status, { message });
    const client = createClient({ ...server, region: 'us-east-1' });
    await expect(client.call('ListClusters', {})).rejects.toMatchObject({
      code,
      message: `The gateway answered ${status}: ${message}.`,
      hint: expect.stringMatching(hint),
    });
  });
});
