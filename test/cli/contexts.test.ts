/** `gantry login` and `gantry contexts`: what is kept on disk, who may read it, and what goes before what. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectionOf } from '../../cli/connection.ts';
import { type ContextFile, contextFile, contextPath } from '../../cli/contexts/disk.ts';
import { type CallOptions, type Desk, type Ended, openDesk, startCommand } from './support/desk.ts';
import { transcript } from './support/transcript.ts';

const styles = { terminal: { columns: 120 }, plain: {}, json: { columns: 120 } } as const;

let desk: Desk;
let directory: string;
let file: ContextFile;
beforeAll(async () => {
  desk = await openDesk();
  await desk.world.call('CreateCluster', { clusterName: 'web' });
});
afterAll(() => desk[Symbol.asyncDispose]());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-contexts-'));
  file = contextFile(contextPath({ XDG_CONFIG_HOME: directory }, '/nowhere'));
  return () => rmSync(directory, { recursive: true });
});

const key = () => {
  const { accessKeyId = '', secretAccessKey = '' } = desk.connection.credentials ?? {};
  return { accessKeyId, secretAccessKey };
};

/** Without a cloud on this machine. */
const gantry = (argv: readonly string[], options: CallOptions = {}): Promise<Ended> =>
  startCommand(argv, { contexts: file, ...options }, undefined, desk.world.now).ended;

const login = (name: string, ...options: string[]): Promise<Ended> => {
  const { accessKeyId, secretAccessKey } = key();
  const argv = ['login', name, '--endpoint', desk.connection.endpoint, '--access-key-id', accessKeyId, ...options];
  return gantry(argv, { stdin: Readable.from([`${secretAccessKey}\n`]) });
};

/** Keys, ports and directories are new in each run. */
const masked = (text: string): string =>
  text
    .replaceAll(directory, '/home/me/.config')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:8080')
    .replaceAll(/GKIA[0-9A-F]{16}/g, 'GKIA0123456789ABCDEF');

describe('what is printed', () => {
  const commands: Record<string, readonly string[]> = {
    login: ['login', 'prod', '--access-key-id', 'ID', '--endpoint', 'URL', '--cluster', 'web'],
    'contexts list': ['contexts', 'list'],
    'contexts use': ['contexts', 'use', 'staging'],
    'contexts remove': ['contexts', 'remove', 'staging'],
  };
  for (const [name, words] of Object.entries(commands))
    it.each(Object.entries(styles))(`by ${name}, %s`, async (style, options) => {
      await login('staging', '--cluster', 'web');
      const { endpoint } = desk.connection;
      const { accessKeyId, secretAccessKey } = key();
      const argv = [
        ...words.map((word) => ({ ID: accessKeyId, URL: endpoint })[word] ?? word),
        ...(style === 'json' ? ['--json'] : []),
      ];
      const { code, stdout, stderr } = await gantry(argv, { ...options, stdin: Readable.from([secretAccessKey]) });
      expect(stdout + stderr).not.toContain(secretAccessKey);
      const told = transcript(masked(argv.join(' ')), { code, stdout: masked(stdout), stderr: masked(stderr) });
      await expect(told).toMatchFileSnapshot(`./golden/${name} - ${style}.txt`);
    });
});

describe('login', () => {
  it('keeps what has answered, for its owner alone, and is used from then on', async () => {
    expect((await login('prod', '--cluster', 'web')).code).toBe(0);
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(file.path)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(file.path))).toEqual(['config.yaml']);
    const { cluster } = JSON.parse((await gantry(['clusters', 'show', '--json'])).stdout);
    expect(cluster.clusterName).toBe('web');
    const env = { GANTRY_CLUSTER: 'default', AWS_REGION: 'eu-west-9', AWS_ACCESS_KEY_ID: 'AKIAOTHER' };
    expect(JSON.parse((await gantry(['clusters', 'show', '--json'], { env })).stdout).cluster.clusterName).toBe(
      'default',
    );
  });

  it.each([
    ['wrong', 'InvalidSignatureException', ['wrong\n']],
    ['missing', 'MissingAuthenticationTokenException', []],
  ])('keeps nothing where the secret is %s', async (_, code, lines) => {
    const argv = [
      'login',
      'prod',
      '--json',
      '--endpoint',
      desk.connection.endpoint,
      '--access-key-id',
      key().accessKeyId,
    ];
    const { stdout } = await gantry(argv, { stdin: Readable.from(lines) });
    expect(JSON.parse(stdout).error.code).toBe(code);
    expect(existsSync(file.path)).toBe(false);
  });

  it('keeps nothing of what does not answer, and leaves what was there', async () => {
    await login('prod');
    const before = readFileSync(file.path, 'utf8');
    const stdin = Readable.from(['GKIAX\nsecret\n']);
    const ended = await gantry(['login', 'prod', '--endpoint', 'http://127.0.0.1:9'], { stdin });
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be reached') });
    expect(readFileSync(file.path, 'utf8')).toBe(before);
  });

  it('gives a context another key, and leaves the rest of it and the others', async () => {
    await login('dev');
    await login('prod', '--cluster', 'web');
    const user = { userName: 'ci', actions: ['run'] as const, clusters: ['web'] };
    const { accessKey, secretAccessKey } = await desk.world.call('CreateAccessKey', user);
    const stdin = Readable.from([`${accessKey.accessKeyId}\r\n${secretAccessKey}\r\n`]);
    const ended = await gantry(['login', 'prod'], { stdin });
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('may not look at the cluster web') });
    expect(file.read()).toMatchObject({
      current: 'prod',
      contexts: { dev: { key: key() }, prod: { cluster: 'web', key: { accessKeyId: accessKey.accessKeyId } } },
    });
  });

  it('asks on a terminal, and shows no secret', async () => {
    const raw: boolean[] = [];
    const keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
    const { accessKeyId, secretAccessKey } = key();
    const started = startCommand(
      ['login', 'prod', '--endpoint', desk.connection.endpoint],
      { contexts: file, stdin: keyboard, columns: 80 },
      undefined,
      desk.world.now,
    );
    await started.said('Access key id: ');
    keyboard.write(`x\u007f${accessKeyId}\r`);
    await started.said('Secret access key (not shown): ');
    keyboard.write(`y\u007f${secretAccessKey}\r`);
    const { code, stdout, stderr } = await started.ended;
    expect({ code, raw }).toEqual({ code: 0, raw: [true, false, true, false] });
    expect(stderr).toContain(`Access key id: x\b \b${accessKeyId}\n`);
    expect(stdout + stderr).not.toContain(secretAccessKey);
    expect(keyboard.destroyed).toBe(true);
  });

  it('keeps nothing where Ctrl-C answers', async () => {
    const keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
    keyboard.write('GKIAX\u0003');
    expect((await gantry(['login', 'prod', '--endpoint', 'http://127.0.0.1:9'], { stdin: keyboard })).code).toBe(1);
    expect(existsSync(file.path)).toBe(false);
  });

  it('by IAM keeps no secret', async () => {
    // Whoever stands before the address knows the caller: here nobody does.
    const awsCredentials = () => Promise.resolve({ accessKeyId: 'ASIAX', secretAccessKey: 'aws' });
    const argv = ['login', 'aws', '--iam', '--endpoint', desk.connection.endpoint];
    const ended = await gantry(argv, { awsCredentials });
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Error: ') });
    expect(existsSync(file.path)).toBe(false);
    const context = { endpoint: 'https://abc.execute-api.eu-west-1.amazonaws.com', region: 'eu-west-1' };
    const surroundings = { env: {}, localConnection: () => undefined, awsCredentials };
    const contexts = { read: () => ({ current: 'aws', contexts: { aws: context } }) };
    const connection = connectionOf({}, { ...surroundings, contexts });
    expect(connection).toEqual({ ...context, signingService: 'execute-api', credentials: awsCredentials });
  });

  it.each([
    [['login', 'local', '--endpoint', 'http://a'], '`local` always means the cloud on this machine'],
    [['login', 'a/b', '--endpoint', 'http://a'], "A context may not be called 'a/b'."],
    [['login', 'prod'], 'gantry login: --endpoint is missing: where the control plane prod is.'],
    [['login', 'prod', '--endpoint', 'ftp://a'], 'ftp://a is no URL of a control plane.'],
    [['login', 'prod', '--endpoint', 'http://a', '--iam', '--access-key-id', 'x'], '--iam leaves nothing to sign'],
  ])('refuses %j', async (argv, message) => {
    expect(await gantry(argv)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(message) });
    expect(existsSync(file.path)).toBe(false);
  });
});

describe('which control plane is meant', () => {
  const at = (endpoint: string) => ({ endpoint, region: 'us-east-1', key: { accessKeyId: 'a', secretAccessKey: 'b' } });
  const here = { endpoint: 'http://here', region: 'us-east-1' };
  const contexts = { read: () => ({ current: 'prod', contexts: { prod: at('http://prod'), dev: at('http://dev') } }) };
  const surroundings = { contexts, localConnection: () => here, awsCredentials: () => Promise.reject(new Error('no')) };
  const all = { GANTRY_ENDPOINT: 'http://env', GANTRY_CONTEXT: 'dev', AWS_ENDPOINT_URL_ECS: 'http://ecs' };

  it.each([
    ['--endpoint', { endpoint: 'http://flag' }, all, 'http://flag'],
    ['--context', { context: 'dev' }, { ...all, GANTRY_CONTEXT: 'prod' }, 'http://dev'],
    ['--context local', { context: 'local' }, all, 'http://here'],
    ['GANTRY_ENDPOINT', {}, all, 'http://env'],
    ['GANTRY_CONTEXT', {}, { ...all, GANTRY_ENDPOINT: '' }, 'http://dev'],
    ['AWS_ENDPOINT_URL_ECS', {}, { AWS_ENDPOINT_URL_ECS: 'http://ecs' }, 'http://ecs'],
    ['the context in use', {}, {}, 'http://prod'],
  ])('is said by %s first', (_, named, env, endpoint) => {
    expect(connectionOf(named, { ...surroundings, env }).endpoint).toBe(endpoint);
  });

  it('is the cloud on this machine where nothing else is named', () => {
    const none = { read: () => ({ contexts: {} }) };
    expect(connectionOf({}, { ...surroundings, contexts: none, env: {} })).toEqual(here);
  });

  it('is not said twice', () => {
    expect(() => connectionOf({ endpoint: 'http://a', context: 'dev' }, { ...surroundings, env: {} })).toThrow(
      '--endpoint and --context each name a control plane.',
    );
  });

  it('is shown by contexts list where the environment goes before the context in use', async () => {
    await login('prod');
    const env = { GANTRY_ENDPOINT: 'http://elsewhere' };
    expect((await gantry(['contexts', 'list'], { env })).stderr).toBe('GANTRY_ENDPOINT says where commands go.\n');
    expect((await gantry(['contexts', 'use', 'local'])).code).toBe(0);
    expect((await gantry(['contexts', 'list'])).stderr).toBe('Commands go to the cloud on this machine.\n');
    expect((await gantry(['ps'])).stderr).toContain('none is up on this machine');
    expect((await gantry(['ps', '--context', 'prod'])).code).toBe(0);
  });

  it.each([
    [['ps', '--context', 'none'], "There is no context 'none'.\nThere are prod and local."],
    [['contexts', 'use', 'none'], "There is no context 'none'."],
    [['contexts', 'remove', 'prod', 'constructor'], "There is no context 'constructor'."],
  ])('is told where it is not known: %j', async (argv, message) => {
    await login('prod');
    expect(await gantry(argv)).toMatchObject({ code: 4, stderr: expect.stringContaining(message) });
    expect(Object.keys(file.read().contexts)).toEqual(['prod']);
  });
});

describe('the file of contexts', () => {
  it('is in XDG_CONFIG_HOME, or below the home directory', () => {
    expect(contextPath({}, '/home/me')).toBe('/home/me/.config/gantry/config.yaml');
    expect(contextPath({ XDG_CONFIG_HOME: '' }, '/home/me')).toBe('/home/me/.config/gantry/config.yaml');
    expect(contextPath({ XDG_CONFIG_HOME: '/etc/xdg' }, '/home/me')).toBe('/etc/xdg/gantry/config.yaml');
  });

  it('is not read where others may, and not asked where it decides nothing', async () => {
    await login('prod');
    chmodSync(file.path, 0o640);
    expect(await gantry(['ps'])).toMatchObject({ code: 1, stderr: expect.stringContaining(`chmod 600 ${file.path}`) });
    const { accessKeyId, secretAccessKey } = key();
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, GANTRY_CLUSTER: 'web' };
    expect((await gantry(['ps', '--endpoint', desk.connection.endpoint], { env })).code).toBe(0);
  });

  it.each([
    ['contexts: [', 'cannot be understood: '],
    ['contexts: {prod: {endpoint: nowhere, region: a}}', 'contexts.prod.endpoint'],
    ['contexts: {prod: {endpoint: "http://a", region: a, secret: b}}', 'contexts.prod'],
    ['current: gone', "There is no context 'gone'."],
  ])('that is wrong is told: %s', async (text, message) => {
    await login('prod');
    writeFileSync(file.path, text);
    expect((await gantry(['ps'])).stderr).toContain(message);
  });
});
