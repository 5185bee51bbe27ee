/** Each of the doctor's findings, before a real defect: programs that are too old, a full disk, a port that is shut, a wrong clock. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hostToolsPath } from '../../local/containerd.ts';
import { diskFindings } from '../../local/doctor/disk.ts';
import { engineFindings, socketFinding } from '../../local/doctor/engine.ts';
import type { Finding } from '../../local/doctor/finding.ts';
import { firewallFindings } from '../../local/doctor/firewall.ts';
import { joinedFindings } from '../../local/doctor/joined.ts';
import { kernelFindings } from '../../local/doctor/kernel.ts';
import { controlPlaneFindings, registryFinding } from '../../local/doctor/network.ts';
import { describeWithContainers } from '../support/containers.ts';

const directory = () => mkdtempDisposableSync(join(tmpdir(), 'gantry-doctor-'));
const wrongOf = (findings: readonly Finding[]): Finding[] => findings.filter(({ ok }) => !ok);
const subjectsOf = (findings: readonly Finding[]): string[] => wrongOf(findings).map(({ subject }) => subject);

function program(path: string, name: string, script: string): void {
  writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(path, name), 0o755);
}

async function serving(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describeWithContainers('the doctor', () => {
  it('finds nothing wrong with the programs, the kernel and the firewall of a machine that runs containers', async () => {
    const findings = [...(await engineFindings()), ...kernelFindings(), ...(await firewallFindings())];
    expect(wrongOf(findings)).toEqual([]);
  });

  it('names programs that are missing, too old, or do not run, with what is needed', async () => {
    using path = directory();
    program(path.path, 'containerd', 'echo containerd github.com/containerd/containerd 1.5.9 abc');
    program(path.path, 'runc', 'exit 3');
    const wrong = wrongOf(await engineFindings(path.path));
    expect(wrong.find(({ subject }) => subject === 'containerd')).toMatchObject({
      detail: expect.stringMatching(/^1\.5\.9/),
      advice: expect.stringContaining('containerd 1.6 or newer'),
    });
    expect(wrong.find(({ subject }) => subject === 'runc')?.detail).toContain('does not run');
    expect(wrong.find(({ subject }) => subject === 'nsenter')?.detail).toBe('not found');
  });

  it('names a containerd that is dead at its socket', async () => {
    using path = directory();
    const found = await socketFinding(join(path.path, 'containerd.sock'), 'Start it.');
    expect(found).toMatchObject({ ok: false, detail: expect.stringContaining('ENOENT'), advice: 'Start it.' });
  });

  it('names control groups that are missing, and controllers that are', () => {
    expect(subjectsOf(kernelFindings(''))).toEqual(['control groups']);
    const root = '25 24 0:23 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw';
    const [found] = kernelFindings(root);
    // Beside version 1 the tree of version 2 has none of them.
    if (found?.ok === false) expect(found.detail).toBe('version 2, without cpu, memory, pids');
  });

  it('names a disk that is nearly full, one without inodes, and one that cannot be written', () => {
    using path = directory();
    const small = join(path.path, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10m,nr_inodes=100', 'gantry-doctor', small]);
    try {
      const asked = { dataDir: join(small, 'not', 'yet', 'there'), runDir: small };
      expect(subjectsOf(diskFindings(asked))).toEqual(['disk', 'disk inodes', 'run directory', 'run directory inodes']);
      execFileSync('mount', ['-o', 'remount,ro', small]);
      expect(wrongOf(diskFindings(asked))[0]?.detail).toBe(`${small} cannot be written`);
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('names a firewall that is missing, and one whose lock is held', async () => {
    using path = directory();
    expect(subjectsOf(await firewallFindings(path.path))).toEqual(['firewall']);
    const holder = spawn('flock', ['/run/xtables.lock', 'sh', '-c', 'echo held; read _'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(holder.stdout, 'data');
    try {
      expect(subjectsOf(await firewallFindings(hostToolsPath()))).toContain(
        execFileSync('iptables', ['--version'], { encoding: 'utf8' }).includes('legacy') ? 'firewall' : 'firewall lock',
      );
    } finally {
      holder.stdin.end('\n');
      await once(holder, 'close');
    }
  });

  it('tells apart a name that is not known, a port that is shut, and an answer that is no control plane', async () => {
    const detailOf = async (url: string) => wrongOf(await controlPlaneFindings(url, Date.now))[0]?.detail;
    expect(await detailOf('http://control.invalid:8080')).toContain('the name control.invalid is not known');
    expect(await detailOf('http://127.0.0.1:1')).toContain('port 1 of 127.0.0.1 cannot be reached');
    await using proxy = await serving((_, response) => response.writeHead(502).end());
    expect(await detailOf(proxy.url)).toContain('answers 502');
    expect(await detailOf(proxy.url.replace('http:', 'https:'))).toBeDefined();
    expect(await registryFinding('example.com', 'http://127.0.0.1:1')).toMatchObject({ ok: false });
    expect(await registryFinding('example.com', proxy.url)).toMatchObject({ ok: true });
  });

  it('names a clock by which signatures are refused, and by how much', async () => {
    await using plane = await serving((_, response) => response.end('{}'));
    expect(wrongOf(await controlPlaneFindings(plane.url, Date.now))).toEqual([]);
    const [wrong] = wrongOf(await controlPlaneFindings(plane.url, () => Date.now() - 400_000));
    expect(wrong).toMatchObject({ subject: 'clock', detail: expect.stringMatching(/^(399|400|401) s behind/) });
  });

  it('looks at a joined host by what its agent is told, and says where that is wrong', async () => {
    using data = directory();
    const where = { dataDir: data.path, runDir: join(data.path, 'run') };
    expect(await joinedFindings(where)).toEqual([]);
    writeFileSync(join(data.path, 'agent.json'), '{ "platform": "machine" }');
    expect(await joinedFindings(where)).toMatchObject([{ subject: 'agent configuration', ok: false }]);
    const network = { bridge: 'b0', subnet: '10.9.0.0/16', chainPrefix: 'B', hostAddress: '127.0.0.1' };
    const runtime = {
      socket: join(data.path, 'none.sock'),
      namespace: 'b',
      runtimeRoot: '/run/b',
      stateDirectory: '/run/b',
      cgroupParent: '/b',
      network,
      registryMirrors: { 'docker.io': 'http://127.0.0.1:1' },
    };
    const config = {
      controlPlaneUrl: 'http://127.0.0.1:1',
      cluster: 'default',
      hostName: 'b',
      address: '127.0.0.1',
      cpuUnits: 1024,
      memoryMib: 512,
      dataDirectory: '/run/b',
      runtime,
    };
    writeFileSync(join(data.path, 'agent.json'), JSON.stringify(config));
    const lines = [
      { msg: 'registered' },
      {
        err: { message: 'The join token is not known.' },
        msg: 'the control plane does not admit this host; trying again',
      },
    ];
    writeFileSync(join(data.path, 'agent.log'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const findings = await joinedFindings(where);
    expect(subjectsOf(findings)).toEqual([
      'control plane',
      'containerd socket',
      'agent',
      'admission',
      'registry docker.io',
    ]);
    expect(findings.find(({ subject }) => subject === 'admission')?.detail).toBe(
      'refused: The join token is not known.',
    );
    writeFileSync(join(data.path, 'agent.log'), '{"msg":"registered"}\n');
    expect(subjectsOf(await joinedFindings(where))).not.toContain('admission');
  });
});
