/** Commands on the cloud of this machine, with a fake one: what they ask of it, and what they print. */
import { describe, expect, it } from 'vitest';
import { openDesk, startCommand } from './support/desk.ts';
import { FakeLocal } from './support/fake-local.ts';
import { transcript } from './support/transcript.ts';

const connection = {
  endpoint: 'http://127.0.0.1:8080',
  region: 'us-east-1',
  credentials: { accessKeyId: 'KEY', secretAccessKey: 'SECRET' },
};

describe('up', () => {
  it('hands its options on by their names there, and prints what a client needs once all is up', async () => {
    const local = new FakeLocal();
    const stop = new AbortController();
    const options = [
      '--hosts',
      '3',
      '--data',
      '/d',
      '--run-dir',
      '/r',
      '--port',
      '81',
      '--name',
      'x',
      '--network',
      '10.9',
    ];
    const more = [
      '--store',
      'dynamodb',
      '--dynamodb-endpoint',
      'http://h',
      '--auth',
      'none',
      '--account',
      '123456789012',
    ];
    const argv = ['up', ...options, ...more, '--region', 'eu-central-1'];
    const up = startCommand(argv, { local, signal: stop.signal }, connection);
    await up.said('is ready at http://127.0.0.1:8080');
    await up.said('export AWS_SECRET_ACCESS_KEY=SECRET');
    stop.abort();
    const { code, stderr } = await up.ended;
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^control plane started\nEnded agents/),
    });
    const asked = {
      hosts: 3,
      dataDir: '/d',
      runDir: '/r',
      port: 81,
      name: 'x',
      network: '10.9',
      store: 'dynamodb',
      dynamodbEndpoint: 'http://h',
      auth: 'none',
      accountId: '123456789012',
      region: 'eu-central-1',
    };
    expect(local.calls).toEqual([['up', asked]]);
  });

  it.each([
    [['--fleet', '0..5'], { fleet: { min: 0, max: 5 } }],
    [['--fleet', '3..3', '--fleet-idle-seconds', '60'], { fleet: { min: 3, max: 3 }, fleetIdleSeconds: 60 }],
    [['--fleet', '0..0'], { fleet: { min: 0, max: 0 } }],
    [['--fleet', '0..50'], { fleet: { min: 0, max: 50 } }],
  ])('takes %j', async (argv, asked) => {
    const local = new FakeLocal();
    const stop = new AbortController();
    const up = startCommand(['up', ...argv], { local, signal: stop.signal }, connection);
    await up.said('is ready');
    stop.abort();
    expect((await up.ended).code).toBe(0);
    expect(local.calls).toEqual([['up', asked]]);
  });

  it.each([
    [['--fleet', '5..3'], "--fleet takes MIN..MAX, whole numbers from 0 to 50 such as 0..5, not '5..3'"],
    [['--fleet', '0..51'], "not '0..51'"],
    [['--fleet', '5'], "not '5'"],
    [['--fleet=-1..5'], "not '-1..5'"],
    [['--fleet', '0...5'], "not '0...5'"],
    [['--fleet', '0..5', '--hosts', '3'], '--hosts and --fleet exclude each other'],
    [['--fleet-idle-seconds', '5'], '--fleet-idle-seconds says something only with --fleet'],
  ])('refuses %j and begins nothing', async (argv, why) => {
    const local = new FakeLocal();
    const { code, stderr } = await startCommand(['up', ...argv], { local }, connection).ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(why) });
    expect(local.calls).toEqual([]);
  });

  it('with --json prints one object once all is up', async () => {
    const stop = new AbortController();
    const up = startCommand(['up', '--json'], { signal: stop.signal }, connection);
    await up.said('"endpoint"');
    stop.abort();
    expect(JSON.parse((await up.ended).stdout)).toEqual({
      endpoint: 'http://127.0.0.1:8080',
      environment: {
        AWS_ENDPOINT_URL_ECS: 'http://127.0.0.1:8080',
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'KEY',
        AWS_SECRET_ACCESS_KEY: 'SECRET',
      },
    });
  });
});

describe('up beside a context in use', () => {
  const at = { endpoint: 'http://prod', region: 'us-east-1' };
  const path = '/home/me/.config/gantry/config.yaml';
  const write = () => {};

  it.each([
    ['says that commands go elsewhere', () => ({ current: 'prod', contexts: { prod: at } }), /go to the context prod/],
    ['says nothing where none is', () => ({ contexts: { prod: at } }), /^(?!.*go to the context)/s],
    [
      'comes up where the file is broken',
      () => {
        throw new Error('broken');
      },
      /^(?!.*broken)/s,
    ],
  ])('%s', async (_, read, expected) => {
    const stop = new AbortController();
    const contexts = { path, write, read };
    const up = startCommand(['up'], { signal: stop.signal, contexts }, { ...at, endpoint: 'http://here' });
    await up.said('In another terminal');
    stop.abort();
    const { code, stderr } = await up.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(expected);
  });
});

describe('down', () => {
  it('finds the cloud by the environment, or by what is said', async () => {
    const local = new FakeLocal();
    const env = { GANTRY_RUN_DIR: '/env' };
    expect(await startCommand(['down', '--purge'], { local, env }).ended).toEqual({
      code: 0,
      stdout: '',
      stderr: 'stopped everything\n',
    });
    const { stdout } = await startCommand(['down', '--run-dir', '/said', '--json'], { local, env }).ended;
    expect(JSON.parse(stdout)).toEqual({ done: ['stopped everything'] });
    expect(local.calls).toEqual([
      ['down', { runDir: '/env', purge: true }],
      ['down', { runDir: '/said' }],
    ]);
  });
});

describe('doctor', () => {
  const good = { subject: 'root', ok: true, detail: 'yes' };
  const bad = { subject: 'disk', ok: false, detail: '3 MiB free', advice: 'Free some space.' };

  it.each([
    ['terminal', [], { columns: 80 }],
    ['plain', [], {}],
    ['json', ['--json'], {}],
  ])('says what is wrong and what to do, %s', async (style, more, options) => {
    const local = new FakeLocal();
    local.findings = [good, bad];
    const { code, stdout } = await startCommand(['doctor', ...more], { ...options, local }).ended;
    expect(code).toBe(1);
    await expect(stdout.replaceAll('\u001b', '␛')).toMatchFileSnapshot(`./golden/doctor - ${style}.txt`);
  });

  it('ends with 0 where nothing is wrong', async () => {
    const local = new FakeLocal();
    local.findings = [good];
    const { code, stdout } = await startCommand(['doctor'], { local }).ended;
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing is wrong.') });
  });
});

describe('store copy', () => {
  it.each([
    ['terminal', [], { columns: 100 }],
    ['plain', [], {}],
    ['json', ['--json'], {}],
  ])('hands its arguments on and says what is left to do, %s', async (style, more, options) => {
    const local = new FakeLocal();
    const argv = ['store', 'copy', 'sqlite:/d', 'dynamodb:gantry', '--region', 'eu-west-1', '--force', ...more];
    const ended = await startCommand([...argv, '--dynamodb-endpoint', 'http://h'], { ...options, local }).ended;
    await expect(transcript(argv.join(' '), ended)).toMatchFileSnapshot(`./golden/store copy - ${style}.txt`);
    const asked = {
      from: 'sqlite:/d',
      to: 'dynamodb:gantry',
      region: 'eu-west-1',
      force: true,
      dynamodbEndpoint: 'http://h',
    };
    expect(local.calls).toEqual([['copyStore', asked]]);
  });

  it('names the argument that is missing', async () => {
    const { code, stderr } = await startCommand(['store', 'copy', 'sqlite:/d'], { local: new FakeLocal() }).ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('gantry store copy: TO is missing') });
  });
});

describe('with a cloud up on this machine', () => {
  it('commands use it, with its own key before those in the environment', async () => {
    await using desk = await openDesk();
    const env = { AWS_ACCESS_KEY_ID: 'for-aws', AWS_SECRET_ACCESS_KEY: 'for-aws' };
    expect((await desk.gantry(['ps'], { env })).code).toBe(0);
  });
});
