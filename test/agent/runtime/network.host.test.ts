/** Containers on the networks that a task may choose, seen from inside and reached from the machine. */
import { readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createHostNamespace,
  removeHostNamespace,
  removeMachineBridge,
} from '../../../agent/network/host-namespace.ts';
import { netnsPath } from '../../../agent/network/names.ts';
import { runTool } from '../../../agent/network/tool.ts';
import type { PortMapping } from '../../../core/model/task-definition.ts';
import { freePort } from '../../support/cloud.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { reach, testNetwork } from '../network/network-peers.ts';
import { containerSpec } from '../oci/task-spec.ts';
import { exitOf, failureOf, isReady, linesOf, prepare, run, runTask, type SpecOverrides } from '../runtime-driver.ts';
import { type RealHost, type RealMachine, startRealMachine } from './real-host.ts';

const port = (containerPort: number, hostPort = 0): PortMapping => ({ containerPort, hostPort, protocol: 'tcp' });

/** Answers every request with its name, from when it says that it is ready: httpd takes connections before it leaves its starter. */
const serves = (name: string, onPort: number): string[] => [
  'sh',
  '-c',
  `mkdir /www && echo ${name} > /www/index.html && httpd -h /www -p ${onPort} && echo ready && exec sleep 86400`,
];

const get = async (address: string, hostPort: number | undefined): Promise<string> => {
  const response = await fetch(`http://${address}:${hostPort}/`, { signal: AbortSignal.timeout(5000) });
  return (await response.text()).trim();
};

describeWithContainers("containers' networks", () => {
  let machine: RealMachine;
  let host: RealHost;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    machine = stack.use(await startRealMachine());
    host = stack.use(await machine.host());
  });
  afterAll(() => stack.disposeAsync());

  const driven = (on = host) => ({ runtime: on.runtime, image: machine.image });

  async function readInside(networkMode: 'none' | 'host' | 'bridge', script: string, on = host): Promise<string[]> {
    const taskId = await run(driven(on), { main: ['sh', '-c', script] }, { task: { networkMode } });
    await exitOf(on.runtime, taskId);
    await on.runtime.removeContainer(taskId, 'main');
    const lines = await linesOf(on.runtime, taskId);
    await on.runtime.removeTask(taskId);
    return lines.map(({ text }) => text);
  }

  const interfaces = "sed -n 's/^ *\\(.*\\):.*/\\1/p' /proc/net/dev | sort";

  it('none: has its own loopback, up, and nothing else', async () => {
    const read = await readInside(
      'none',
      `readlink /proc/self/ns/net; ping -c1 127.0.0.1 > /dev/null && echo up; ${interfaces}`,
    );
    expect(read[0]).not.toBe(readlinkSync('/proc/self/ns/net'));
    expect(read[1]).toBe('up');
    expect(read).toContain('lo');
    expect(read.filter((name) => /^(eth|veth|en)/.test(name))).toEqual([]);
  });

  it("host: is on the machine's own network, with its names", async () => {
    const read = await readInside('host', 'readlink /proc/self/ns/net; cat /proc/sys/kernel/hostname');
    expect(read).toEqual([readlinkSync('/proc/self/ns/net'), (await runTool('uname', ['-n'])).trim()]);
  });

  it('host: does not reach the instance metadata, of which the rest of the machine may ask', async () => {
    const dropped = async (): Promise<number> => {
      const saved = await runTool('iptables-save', ['-c', '-t', 'filter']);
      const rule = saved
        .split('\n')
        .find((line) => line.includes(`${host.config.network.chainPrefix}-OUTPUT -d 169.254.169.254`));
      return Number(/^\[(\d+):/.exec(rule ?? '')?.[1]);
    };
    await reach(undefined, '169.254.169.254', 80, 100);
    expect(await dropped()).toBe(0);
    await readInside('host', 'nc -w 1 169.254.169.254 80 < /dev/null 2>&1; exit 0');
    expect(await dropped()).toBeGreaterThan(0);
  });

  it('host: listens on the port that it names, which no other task gets', async () => {
    const wanted = await freePort();
    const overrides: SpecOverrides = { task: { networkMode: 'host' }, container: { portMappings: [port(wanted)] } };
    const { taskId, bindings } = await runTask(driven(), { main: serves('shared', wanted) }, overrides);
    await isReady(host.runtime, taskId);
    expect(bindings.main).toEqual([{ bindIP: '0.0.0.0', containerPort: wanted, hostPort: wanted, protocol: 'tcp' }]);
    await expect.poll(() => get('127.0.0.1', wanted).catch(String), { timeout: 5000 }).toBe('shared');
    const failure = await failureOf(prepare(driven(), { main: ['true'] }, overrides));
    expect(failure.message).toContain(`Host port ${wanted}/tcp is already published by task ${taskId}`);
    const rest = (await host.runtime.inventory()).map((task) => task.taskId);
    for (const left of rest) await host.runtime.removeTask(left);
    expect(rest, 'what was refused can be removed as well').toHaveLength(2);
    await expect(get('127.0.0.1', wanted)).rejects.toThrow();
  });

  it('bridge: two containers on the same port are reached on a static and a dynamic one, and by each other', async () => {
    const wanted = await freePort();
    const server = (name: string, mapping: PortMapping) =>
      containerSpec({
        name,
        image: machine.image,
        entryPoint: [],
        command: serves(name, 80),
        portMappings: [mapping],
      });
    const containers = [server('fixed', port(80, wanted)), server('floating', port(80))];
    const { taskId, bindings: ports } = await runTask(driven(), {}, { task: { networkMode: 'bridge', containers } });
    const dynamic = ports.floating?.[0]?.hostPort;
    expect(ports.fixed?.[0]?.hostPort).toBe(wanted);
    await expect.poll(() => get('127.0.0.1', wanted).catch(String), { timeout: 5000 }).toBe('fixed');
    await expect.poll(() => get('127.0.0.1', dynamic).catch(String), { timeout: 5000 }).toBe('floating');

    const gateway = host.config.network.subnet.replace(/\.0\/24$/, '.1');
    const ask = (hostPort: number | undefined) => `wget -qO- http://${gateway}:${hostPort}/`;
    const asks = `${ask(wanted)}; ${ask(dynamic)}; grep -q nameserver /etc/resolv.conf && echo names`;
    expect(await readInside('bridge', asks)).toEqual(['fixed', 'floating', 'names']);
    await host.runtime.removeTask(taskId);
    await expect(get('127.0.0.1', wanted)).rejects.toThrow();
  });

  it('bridge: knows its own address by its name, and may listen on a low port as any user', async () => {
    const script = 'wget -qO- http://$(hostname):80/';
    const serve = `mkdir /tmp/www; echo low > /tmp/www/index.html; httpd -h /tmp/www -p 80; ${script}`;
    const taskId = await run(
      driven(),
      { main: ['sh', '-c', serve] },
      { task: { networkMode: 'bridge' }, container: { user: 'app' } },
    );
    expect((await exitOf(host.runtime, taskId)).exit.exitCode).toBe(0);
    await host.runtime.removeContainer(taskId, 'main');
    expect((await linesOf(host.runtime, taskId)).map(({ text }) => text)).toEqual(['low']);
    await host.runtime.removeTask(taskId);
  });

  it('of a host with a network namespace of its own are in there, and published on its address', async () => {
    const { bridge, subnet } = testNetwork(3);
    const prefix = subnet.split('.').slice(0, 3).join('.');
    const namespace = { name: `${bridge}-h`, bridge: `${bridge}m`, address: `${prefix}.2`, gateway: `${prefix}.1/24` };
    await using own = new AsyncDisposableStack();
    own.defer(async () => {
      await removeHostNamespace(namespace.name);
      await removeMachineBridge(namespace.bridge);
    });
    await createHostNamespace(namespace);
    const netns = netnsPath(namespace.name);
    const other = own.use(await machine.host({ netns, hostAddress: namespace.address }));

    const place = (await runTool('readlink', ['/proc/self/ns/net'], { netns })).trim();
    expect(await readInside('host', 'readlink /proc/self/ns/net', other)).toEqual([place]);

    const { taskId, bindings } = await runTask(
      driven(other),
      { main: serves('inside', 80) },
      { task: { networkMode: 'bridge' }, container: { portMappings: [port(80, 8080)] } },
    );
    expect(bindings.main).toEqual([{ bindIP: namespace.address, containerPort: 80, hostPort: 8080, protocol: 'tcp' }]);
    await expect.poll(() => get(namespace.address, 8080).catch(String), { timeout: 5000 }).toBe('inside');
    await other.runtime.removeTask(taskId);
    await expect.poll(() => other.leftovers(), { timeout: 5000 }).toEqual([]);
  });

  it('that cannot be made fail the creation of their container, and go with their task', async () => {
    await using other = await machine.host();
    const { runtime } = other;
    const { spec, taskId, image } = await prepare(
      driven(other),
      { main: ['true'] },
      { task: { networkMode: 'bridge' } },
    );
    await runTool('ip', ['link', 'del', other.config.network.bridge]);
    const failure = await failureOf(runtime.createContainer(spec, 'main', image));
    expect(failure.kind).toBe('ContainerNetworkingError');
    expect(await runtime.containerState(taskId, 'main')).toBeUndefined();
    await runtime.removeTask(taskId);
    await expect.poll(() => other.leftovers(), { timeout: 5000 }).toEqual([]);
  });

  it('leave nothing when all are removed', async () => {
    await expect.poll(() => host.leftovers(), { timeout: 5000 }).toEqual([]);
  });
});
