/** Help, bad usage and bad files: each error says what is wrong and where, and nothing is done. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commands } from '../../cli/commands/index.ts';
import { parseInvocation } from '../../cli/parse.ts';
import { openDesk, startCommand } from './support/desk.ts';

const gantry = (...argv: readonly string[]) => startCommand(argv, {}).ended;

describe('help', () => {
  it('is the same by every way to it', async () => {
    const { stdout } = await gantry('--help');
    await expect(stdout).toMatchFileSnapshot('./golden/help.txt');
    for (const argv of [['-h'], ['help']]) expect(await gantry(...argv)).toEqual({ code: 0, stdout, stderr: '' });
    expect(await gantry()).toEqual({ code: 1, stdout, stderr: '' });
  });

  it.each(commands.map(({ name }) => name))('of %s', async (name) => {
    const { code, stdout } = await gantry(...name.split(' '), '--help');
    expect(code).toBe(0);
    await expect(stdout).toMatchFileSnapshot(`./golden/help of ${name}.txt`);
    expect((await gantry('help', ...name.split(' '))).stdout).toBe(stdout);
  });

  it('of commands of two words is a list of them', async () => {
    const { code, stdout } = await gantry('keys', '--help');
    expect(code).toBe(0);
    await expect(stdout).toMatchFileSnapshot('./golden/help of keys.txt');
    expect(await gantry('help', 'keys')).toEqual({ code: 0, stdout, stderr: '' });
    expect(await gantry('keys')).toEqual({ code: 1, stdout, stderr: '' });
  });

  it('names every command', async () => {
    const { stdout } = await gantry('--help');
    const lines = stdout.split('\n').map((line) => line.trim());
    for (const { name, summary } of commands)
      expect(lines.some((line) => line.startsWith(`${name} `) && line.endsWith(` ${summary}`))).toBe(true);
  });
});

describe('examples', () => {
  const exampleLines = commands.flatMap((command) => command.examples.map((line) => [line, command] as const));

  it('are there for every command, and name it', () => {
    for (const { name, examples } of commands)
      expect(
        examples.some((line) => line.includes(`gantry ${name}`)),
        name,
      ).toBe(true);
  });

  it.each(exampleLines)('%s is understood', (line, command) => {
    const [, own = ''] = line.split(`gantry ${command.name}`);
    const { stdout } = spawnSync('sh', [
      '-c',
      `set -f; id=3f2a; printf '%s\\0' ${own.split(/ (?:\||&&|>|<) |[;)]/)[0]}`,
    ]);
    const words = stdout.toString('utf8').split('\0').slice(0, -1);
    expect(() => parseInvocation(command, words[0] === '' ? [] : words)).not.toThrow();
  });
});

describe('bad usage', () => {
  it.each([
    [['frobnicate'], "gantry has no command 'frobnicate'."],
    [['regist'], 'Did you mean register or registries?'],
    [['cluster', 'list'], 'Did you mean clusters?'],
    [['--family', 'x', 'ps'], "gantry has no option '--family' before the command."],
    [['help', 'frobnicate'], "gantry has no command 'frobnicate'."],
    [['ps', '--frob'], "gantry ps: Unknown option '--frob'."],
    [['ps', 'extra'], "gantry ps: it does not know what to do with 'extra'."],
    [['ps', '--', 'x'], 'gantry ps: it takes nothing after --.'],
    [['ps', '--json=1'], "gantry ps: Option '--json' does not take an argument."],
    [['ps', '--family'], "gantry ps: Option '--family <value>' argument missing."],
    [['show'], 'gantry show: ID is missing'],
    [['keys', 'make'], "gantry has no command 'keys make'."],
    [['keys', 'make'], 'Did you mean keys create or keys list or keys revoke?'],
    [['keys', 'create'], 'gantry keys create: USER is missing'],
    [['keys', 'create', 'ci', '--action', 'frob'], '--action takes read or run or register or administer'],
    [['run', 'job', '--count', 'x'], "gantry run: --count takes a whole number of at least 1, not 'x'."],
    [['run', 'job', '--count', '0'], "gantry run: --count takes a whole number of at least 1, not '0'."],
    [['run', 'job', '--count', '1e3'], "not '1e3'."],
    [['run', 'job', '--launch-type', 'FARGATE'], "gantry run: --launch-type takes EC2, not 'FARGATE'."],
    [['run', 'job', '--tag', '=x'], "gantry run: --tag takes a name, = and a value, not '=x'."],
    [['run', 'job', '--tag', 'nothing'], "gantry run: --tag takes a name, = and a value, not 'nothing'."],
    [['up', '--port', '99999'], "gantry up: --port takes a whole number from 1 to 65535, not '99999'."],
    [['up', '--store', 'tape'], "gantry up: --store takes sqlite or dynamodb, not 'tape'."],
  ])('gantry %j', async (argv, message) => {
    const { code, stdout, stderr } = await gantry(...argv);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  it('is one object on standard output with --json', async () => {
    const { code, stdout } = await gantry('show', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'InvalidParameterException',
        message: expect.stringContaining('ID is missing'),
        hint: expect.any(String),
      },
    });
  });
});

describe('colours', () => {
  it.each([
    [{}, true],
    [{ NO_COLOR: '' }, true],
    [{ NO_COLOR: '1' }, false],
    [{ TERM: 'dumb' }, false],
  ])('with %j: %s', async (env, coloured) => {
    const { stderr } = await startCommand(['frobnicate'], { env, columns: 80 }).ended;
    expect(stderr.startsWith('\u001b[31mError:\u001b[39m')).toBe(coloured);
  });
});

it('colours nothing that goes into a file', async () => {
  const { stderr } = await startCommand(['frobnicate'], { columns: 80, errorsElsewhere: true }).ended;
  expect(stderr).toMatch(/^Error:/);
});

describe('a control plane', () => {
  it('is asked for where none is known', async () => {
    expect(await gantry('ps')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Start one with `gantry up`'),
    });
  });

  it('that is not there is named', async () => {
    const { code, stderr } = await gantry('ps', '--endpoint', 'http://127.0.0.1:9');
    expect(code).toBe(1);
    expect(stderr).toMatch(/The control plane at http:\/\/127\.0\.0\.1:9 cannot be reached: .+\n.*gantry up/);
  });

  it('that is named gets no key of the cloud on this machine', async () => {
    await using desk = await openDesk();
    const { stdout } = await startCommand(
      ['ps', '--json', '--endpoint', desk.connection.endpoint],
      {},
      { ...desk.connection, endpoint: 'http://127.0.0.1:9' },
    ).ended;
    expect(JSON.parse(stdout).error.code).toBe('MissingAuthenticationTokenException');
  });

  it('is signed for in the region that is named', async () => {
    await using desk = await openDesk();
    expect((await desk.gantry(['ps', '--region', 'us-east-1'])).code).toBe(0);
    expect(await desk.gantry(['ps', '--region', 'eu-central-1'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('us-east-1'),
    });
  });

  it('is reached with the keys in the environment, and refuses wrong ones', async () => {
    await using desk = await openDesk();
    const { endpoint, credentials } = desk.connection;
    const keys = {
      AWS_ACCESS_KEY_ID: credentials?.accessKeyId ?? '',
      AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey ?? '',
    };
    const ps = (env: Record<string, string>) => startCommand(['ps', '--json'], { env }, undefined, Date.now).ended;
    expect((await ps({ GANTRY_ENDPOINT: endpoint, ...keys })).code).toBe(0);
    expect((await ps({ AWS_ENDPOINT_URL_ECS: endpoint, ...keys })).code).toBe(0);
    expect((await ps({ GANTRY_ENDPOINT: endpoint, ...keys, GANTRY_CLUSTER: 'none' })).code).toBe(4);
    const wrong = await ps({ GANTRY_ENDPOINT: endpoint, ...keys, AWS_SECRET_ACCESS_KEY: 'wrong' });
    expect(JSON.parse(wrong.stdout).error.code).toBe('InvalidSignatureException');
    expect(JSON.parse((await ps({ GANTRY_ENDPOINT: endpoint })).stdout).error.code).toBe(
      'MissingAuthenticationTokenException',
    );
  });
});

describe('register', () => {
  const yaml = [
    'family: hello',
    'containerDefinitions:',
    '  - name: a',
    '    image: busybox',
    '    memory: 64',
    '',
  ].join('\n');

  it.each([
    ['a.yaml', yaml],
    [
      'a.json',
      '{"$schema": "x", "family": "hello", "containerDefinitions": [{"name": "a", "image": "busybox", "memory": 64}]}',
    ],
  ])('takes %s', async (name, text) => {
    await using desk = await openDesk();
    expect(await desk.gantry(['register', name], { files: { [name]: text } })).toEqual({
      code: 0,
      stdout: 'Registered hello:1. Run it: gantry run hello:1\n',
      stderr: '',
    });
  });

  it('shows what is only recorded', async () => {
    await using desk = await openDesk();
    const text = `${yaml}requiresCompatibilities: [EC2]\n`;
    const { code, stderr } = await desk.gantry(['register', '-'], { files: { '-': text } });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^Warning: requiresCompatibilities.+\n$/),
    });
  });

  it.each([
    ['empty', '', 'x is empty.'],
    ['a list', '- a', 'x:1:1: a task definition is an object'],
    ['two documents', `${yaml}---\n${yaml}`, 'x:6:1: there is a second document'],
    ['the same member twice', 'family: a\nfamily: b', 'x:2:1: this member is there twice.'],
    ['broken YAML', 'family: "a\n', 'x:2:1: missing closing "quote.'],
    ['broken JSON', '{"family": "a",\n  "b": ]}', "x:2:8: unexpected token ']'."],
    ['JSON that ends', '{"family": "a"', 'x:1:15: expected'],
    ['an anchor in itself', 'family: &a [*a]', 'x: '],
    ['no family', 'containerDefinitions: []', 'x:1:1: '],
    [
      'a text for a number',
      yaml.replace('64', '"64"'),
      'x:5:5: containerDefinitions[0].memory: expected number, received string.',
    ],
    ['a member of the task', `${yaml}networkMode: frob`, 'x:6:1: networkMode'],
    [
      'a member that does not exist',
      `${yaml}    frob: 1`,
      'x:6:5: RegisterTaskDefinition has no member containerDefinitions[0].frob.',
    ],
    ['what is not supported', `${yaml}    privileged: true`, 'x:6:5: containerDefinitions[0].privileged'],
    ['an impossible amount', yaml.replace('64', '1'), 'x:5:5: '],
  ])('says where %s is wrong', async (_, text, message) => {
    await using desk = await openDesk();
    const { code, stdout, stderr } = await desk.gantry(['register', 'x'], { files: { x: text } });
    expect(stderr).toContain(`Error: ${message}`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect((await desk.world.call('ListTaskDefinitions', {})).taskDefinitionArns).toEqual([]);
  });

  it('says which file is not there', async () => {
    const { code, stderr } = await gantry('register', 'nowhere.json');
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: expect.stringContaining('nowhere.json cannot be read: no such file or directory.'),
    });
  });
});
