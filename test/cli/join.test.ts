/** `gantry join` and `gantry leave` with a machine that only writes down what is asked of it. */
import { describe, expect, it } from 'vitest';
import { startCommand } from './support/desk.ts';
import { FakeLocal } from './support/fake-local.ts';

const token = `gantry-join-${'0'.repeat(64)}`;

/** What the machine is asked, and what is printed. */
async function ask(argv: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const local = new FakeLocal();
  const { code, stdout, stderr } = await startCommand(argv, { local, files }).ended;
  return { code, stdout, stderr, asked: local.calls[0]?.[1] };
}

describe('join', () => {
  it('hands on what is said of the host by the names of its file, options before the file', async () => {
    const files = {
      'host.yaml': 'url: https://10.0.0.9:8080\nname: from-the-file\nreservedCpuUnits: 512\n',
      t: `${token}\n`,
    };
    const options = [
      '--name',
      'rack3-7',
      '--attribute',
      'rack=3',
      '--attribute',
      'note=a=b',
      '--reserved-memory',
      '2048',
    ];
    const more = ['--reserved-port', '9100', '--reserved-port', 'udp/53', '--subnet', '10.9.0.0/16', '--install'];
    const argv = ['join', '--file', 'host.yaml', '--token-file', 't', ...options, ...more, '--cluster', 'web'];
    const { asked, code, stdout, stderr } = await ask(argv, files);
    expect(asked).toEqual({
      places: {},
      said: {
        url: 'https://10.0.0.9:8080',
        name: 'rack3-7',
        cluster: 'web',
        subnet: '10.9.0.0/16',
        reservedCpuUnits: 512,
        reservedMemoryMib: 2048,
        reservedPorts: ['tcp/9100', 'udp/53'],
        attributes: { rack: '3', note: 'a=b' },
      },
      token,
      certificateAuthority: undefined,
      install: true,
      foreground: false,
    });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'rack3-7 is a host of the cluster default: ACTIVE, connected, 0 tasks\n',
    });
    expect(stderr).toContain('comes back by itself after a reboot');
  });

  it('says nothing of what is not said, so that it stays as it was', async () => {
    const { asked } = await ask(['join', '--upgrade']);
    expect(asked).toMatchObject({ said: {}, token: undefined, install: false, foreground: false });
  });

  it.each([
    [['--token', token, '--token-file', 't'], 'each give a token'],
    [['--attribute', 'rack'], "--attribute takes NAME=VALUE, not 'rack'"],
    [['--file', 'list.yaml'], 'list.yaml is no list of members and values'],
    [['--file', 'broken.yaml'], 'broken.yaml is neither YAML nor JSON'],
  ])('refuses %j', async (options, complaint) => {
    const files = { 'list.yaml': '- a\n', 'broken.yaml': '{', t: token };
    const { code, stderr, asked } = await ask(['join', 'https://10.0.0.9:8080', ...options], files);
    expect(stderr).toContain(complaint);
    expect({ code, asked }).toEqual({ code: 1, asked: undefined });
  });
});

describe('leave', () => {
  it('says whether tasks are stopped and what is removed', async () => {
    expect(await ask(['leave'])).toMatchObject({ code: 0, asked: { places: {}, force: false, purge: false } });
    const { asked, stderr } = await ask([
      'leave',
      '--force',
      '--purge',
      '--data',
      '/d',
      '--run-dir',
      '/r',
      '--prefix',
      'x',
    ]);
    expect(asked).toEqual({ places: { dataDir: '/d', runDir: '/r', prefix: 'x' }, force: true, purge: true });
    expect(stderr).toBe('the host has left\n');
  });
});
