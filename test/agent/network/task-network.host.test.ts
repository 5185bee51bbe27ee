/** Networks of tasks on this machine: real namespaces, bridges and firewall rules, with programs of ours in place of containers. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type HostMode, openHostMode } from '../../../agent/network/host-mode.ts';
import {
  createHostNamespace,
  removeHostNamespace,
  removeMachineBridge,
} from '../../../agent/network/host-namespace.ts';
import { removeHostNetwork } from '../../../agent/network/host-network.ts';
import { bridgeEnd } from '../../../agent/network/names.ts';
import { writeSysctl } from '../../../agent/network/sysctl.ts';
import { TaskNetworks } from '../../../agent/network/task-network.ts';
import { ipBatch, runTool } from '../../../agent/network/tool.ts';
import type { PortMapping } from '../../../core/model/task-definition.ts';
import type { TaskSpec } from '../../../core/model/task-spec.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';
import { firewallLines, namespacesOf, reach, serve, testNetwork } from './network-peers.ts';

const port = (containerPort: number, hostPort = 0): PortMapping => ({ containerPort, hostPort, protocol: 'tcp' });

/** A task whose containers are named a, b, … and publish these ports. */
function bridged(taskId: string, ...ports: PortMapping[][]) {
  const containers = ports.map((portMappings, index) =>
    containerSpec({ name: String.fromCharCode(97 + index), portMappings }),
  );
  return taskSpec({ taskId, networkMode: 'bridge', containers });
}

/** A machine without control groups that a firewall knows. */
const noGroups = { unified: undefined, byController: new Map<string, string>() };

async function host(index: number, netns?: { readonly path: string; readonly address: string }, mode?: HostMode) {
  const { owner, ...rest } = testNetwork(index);
  const network = { ...rest, ...(netns === undefined ? {} : { netns: netns.path, hostAddress: netns.address }) };
  const directory = await mkdtempDisposable(join(tmpdir(), 'gantry-network-'));
  const open = async () =>
    TaskNetworks.open({
      network,
      owner,
      directory: directory.path,
      now: Date.now,
      warn: () => {},
      hostMode: mode ?? (await openHostMode(network.netns, `/${owner}`, noGroups)),
    });
  return {
    owner,
    network,
    open,
    networks: await open(),
    /** As a runtime does it before a container starts. */
    async connect(networks: TaskNetworks, task: TaskSpec) {
      const bindings = await networks.prepare(task);
      await networks.whole(task.taskId);
      return bindings;
    },
    /** The only address that a task of one container, or its container `a`, has. */
    place: (networks: TaskNetworks, taskId: string, container = 'a') => {
      const place = networks.placeOf(taskId, container);
      if (place === undefined) throw new Error(`${taskId} has no network`);
      return place;
    },
    async [Symbol.asyncDispose]() {
      const leftovers = await open();
      for (const taskId of leftovers.inventory().keys()) await leftovers.remove(taskId);
      await removeHostNetwork(network);
      await directory.remove();
    },
  };
}

function machineAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** The end of a veth pair goes a moment after its namespace. */
async function whenGone(interfaceName: string): Promise<void> {
  await expect.poll(() => existsSync(`/sys/class/net/${interfaceName}`), { timeout: 5000 }).toBe(false);
}

describeWithContainers('tasks in bridge mode', () => {
  it('are reached on their published ports from everywhere, and leave nothing', async () => {
    await using machine = await host(0);
    const { networks, place } = machine;
    const bindings = await machine.connect(networks, bridged('web', [port(80)], [port(80), port(81, 18_081)]));
    const hostPort = (container: string, containerPort: number) =>
      bindings[container]?.find((binding) => binding.containerPort === containerPort)?.hostPort ?? 0;
    expect(hostPort('b', 81)).toBe(18_081);
    const a = place(networks, 'web', 'a');
    const b = place(networks, 'web', 'b');
    await using _a = await serve(a.netns, 80, 'a');
    await using _b = await serve(b.netns, 80, 'b');
    await using _b81 = await serve(b.netns, 81, 'b81');

    for (const address of ['127.0.0.1', machineAddress()]) {
      expect(await reach(undefined, address, hostPort('a', 80))).toMatch(/^a saw /);
      expect(await reach(undefined, address, hostPort('b', 80))).toMatch(/^b saw /);
      expect(await reach(undefined, address, 18_081)).toMatch(/^b81 saw /);
    }
    expect(await reach(a.netns, b.address, 81), 'container to container').toBe(`b81 saw ${a.address}`);
    expect(await reach(a.netns, machineAddress(), 18_081), 'by the published port').toMatch(/^b81 saw /);
    expect(await reach(b.netns, machineAddress(), 18_081), 'hairpin').toMatch(/^b81 saw /);
    expect(await reach(a.netns, '127.0.0.1', 80), 'its own loopback').toBe('a saw 127.0.0.1');

    await networks.remove('web');
    await networks.remove('web');
    expect(namespacesOf(machine.owner)).toEqual([]);
    expect((await firewallLines(machine.network.chainPrefix)).filter((line) => line.includes('-PORTS -p'))).toEqual([]);
    expect([...networks.inventory()]).toEqual([]);
    await removeHostNetwork(machine.network);
    expect(await firewallLines(machine.network.chainPrefix)).toEqual([]);
    expect(existsSync(`/sys/class/net/${machine.network.bridge}`)).toBe(false);
  });

  it('are found, kept apart and removed by an agent that starts again', async () => {
    await using machine = await host(1);
    const first = bridged('first', [port(80)]);
    const before = await machine.connect(machine.networks, first);

    const again = await machine.open();
    expect(again.inventory().get('first')).toEqual(before);
    expect(await machine.connect(again, first), 'once more is no change').toEqual(before);
    await again.prepare(bridged('second', [port(80)]));
    const places = ['first', 'second'].map((taskId) => machine.place(again, taskId));
    expect(new Set(places.map(({ address }) => address)).size).toBe(2);
    await using _server = await serve(machine.place(again, 'first').netns, 80, 'first');
    expect(await reach(undefined, '127.0.0.1', before.a?.[0]?.hostPort ?? 0)).toMatch(/^first saw /);

    const veth = bridgeEnd(namespacesOf(machine.owner).find((name) => name.includes('first')) ?? '');
    expect(existsSync(`/sys/class/net/${veth}`)).toBe(true);
    await _server[Symbol.asyncDispose]();
    await again.remove('first');
    await whenGone(veth);
    expect([...again.inventory().keys()]).toEqual(['second']);
  });

  it('are completed for an agent that starts again in the middle, and removed in the middle', async () => {
    await using machine = await host(6);
    const task = bridged('broken', [port(80)]);
    const bindings = await machine.networks.prepare(task);
    await machine.networks.whole('broken');
    const { netns } = machine.place(machine.networks, 'broken');
    // As an agent leaves it that was killed when it had made the namespace alone.
    await runTool('ip', ['link', 'del', 'eth0'], { netns });
    const again = await machine.open();
    await again.whole('broken');
    await using _server = await serve(machine.place(again, 'broken').netns, 80, 'broken');
    expect(await reach(undefined, '127.0.0.1', bindings.a?.[0]?.hostPort ?? 0)).toMatch(/^broken saw /);
    await _server[Symbol.asyncDispose]();

    await again.prepare(bridged('short', [port(80)]));
    const connecting = again.whole('short');
    await Promise.all([connecting, again.remove('short'), again.remove('broken')]);
    expect(namespacesOf(machine.owner)).toEqual([]);
    expect((await firewallLines(machine.network.chainPrefix)).filter((line) => line.includes('-PORTS -p'))).toEqual([]);
  });

  it('tell what is in the way of their connection when a container is to start, and recover', async () => {
    await using machine = await host(7);
    const task = bridged('blocked', [port(80)]);
    await machine.networks.makeHost();
    await runTool('ip', ['link', 'del', machine.network.bridge]);
    await machine.networks.prepare(task);
    await expect(machine.networks.whole('blocked')).rejects.toThrow(/ip failed/);
    const again = await machine.open(); // Which makes the bridge.
    await again.prepare(task);
    await again.whole('blocked');
    expect(namespacesOf(machine.owner)).toHaveLength(1);
  });

  it('get no port that a program of the machine or another task has', async () => {
    await using machine = await host(2);
    const program = createServer().listen(0, '127.0.0.1');
    await once(program, 'listening');
    const address = program.address();
    const taken = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await expect(machine.networks.prepare(bridged('one', [port(80, taken)]))).rejects.toThrow(
      `Host port ${taken}/tcp is in use by a program on the host`,
    );
    program.close();
    await machine.networks.prepare(bridged('two', [port(80, 18_082)]));
    await expect(machine.networks.prepare(bridged('three', [port(80, 18_082)]))).rejects.toThrow(
      'Host port 18082/tcp is already published by task two',
    );
    expect([...machine.networks.inventory().keys()], 'who was refused holds nothing').toEqual(['two']);
  });

  it('can be many at once, and rules that somebody flushed come back', async () => {
    await using machine = await host(3);
    const ids = Array.from({ length: 8 }, (_, index) => `task${index}`);
    await Promise.all(ids.map((taskId) => machine.connect(machine.networks, bridged(taskId, [port(80)]))));
    const published = async () =>
      (await firewallLines(machine.network.chainPrefix)).filter((line) => line.includes('-PORTS -p'));
    expect(await published()).toHaveLength(8);
    const chain = `${machine.network.chainPrefix}-PORTS`;
    await runTool('iptables-restore', ['--noflush'], { input: `*nat\n-F ${chain}\nCOMMIT\n` });
    // What is gone is noticed when it is to be deleted.
    await machine.networks.remove('task0');
    expect(await published()).toHaveLength(7);
    await Promise.all(ids.map((taskId) => machine.networks.remove(taskId)));
    expect(await published()).toEqual([]);
  });
});

describeWithContainers('tasks in host mode', () => {
  const shared = taskSpec({ taskId: 'shared', networkMode: 'host', containers: [containerSpec({ name: 'a' })] });

  it.each<[string, HostMode | undefined]>([
    ['that has no way to tell them', undefined],
    // iptables takes no path of a group that is not there, as it takes none where the kernel lacks the match.
    [
      'whose kernel takes no such rule',
      { match: { kind: 'cgroup', path: 'gantry/no/such' }, matches: async () => true },
    ],
  ])('are refused on a machine %s, on which bridge mode goes on', async (_, mode) => {
    await using machine = await host(8, undefined, mode);
    await expect(machine.networks.prepare(shared)).rejects.toThrow(
      'Network mode host is refused on this host: its firewall cannot keep tasks from the instance metadata',
    );
    const { a } = await machine.connect(machine.networks, bridged('web', [port(80)]));
    await using _server = await serve(machine.place(machine.networks, 'web').netns, 80, 'web');
    expect(await reach(undefined, '127.0.0.1', a?.[0]?.hostPort ?? 0)).toMatch(/^web saw /);
  });

  it('are refused where a process comes past the rules, before it runs', async () => {
    await using machine = await host(9);
    const { networks } = machine;
    await expect(networks.checkProcess(shared, '/gantry/shared/a', process.pid)).rejects.toThrow(
      'Network mode host is refused on this host: its runc does not put containers into the control group',
    );
    await networks.checkProcess(bridged('web', []), '/gantry/web/a', process.pid);
  });
});

describeWithContainers('hosts in network namespaces of their own', () => {
  it('publish on their own addresses, and keep instance metadata from their tasks', async () => {
    const { bridge, subnet } = testNetwork(0);
    const prefix = subnet.split('.').slice(0, 3).join('.');
    const names = [1, 2].map((number) => ({
      name: `${bridge}-h${number}`,
      bridge: `${bridge}m`,
      address: `${prefix}.${number + 1}`,
      gateway: `${prefix}.1/24`,
    }));
    await using stack = new AsyncDisposableStack();
    stack.defer(async () => {
      for (const { name } of names) await removeHostNamespace(name);
      await removeMachineBridge(`${bridge}m`);
    });
    for (const namespace of names) {
      await createHostNamespace(namespace);
      await createHostNamespace(namespace);
    }
    const [one, two] = await Promise.all(
      names.map(({ name, address }, index) => host(index + 4, { path: `/run/netns/${name}`, address })),
    );
    if (one === undefined || two === undefined) throw new Error('two hosts were asked for');
    stack.use(one);
    stack.use(two);
    // As Docker leaves it: what nobody accepts is dropped.
    await runTool('iptables', ['-P', 'FORWARD', 'DROP'], { netns: one.network.netns });
    const bindings = await one.connect(one.networks, bridged('same', [port(80, 8080)]));
    await two.connect(two.networks, bridged('same', [port(80, 8080)]));
    expect(bindings.a).toEqual([{ bindIP: `${prefix}.2`, containerPort: 80, hostPort: 8080, protocol: 'tcp' }]);
    const inOne = one.place(one.networks, 'same');
    const inTwo = two.place(two.networks, 'same');
    await using _one = await serve(inOne.netns, 80, 'one');
    await using _one6 = await serve(inOne.netns, 80, 'one', '::');
    await using _two = await serve(inTwo.netns, 80, 'two');
    expect(await reach(undefined, `${prefix}.2`, 8080)).toMatch(/^one saw /);
    expect(await reach(undefined, `${prefix}.3`, 8080)).toMatch(/^two saw /);
    expect(await reach(inOne.netns, `${prefix}.3`, 8080), 'host to host').toBe(`two saw ${prefix}.2`);
    expect(await reach(inOne.netns, `${prefix}.2`, 8080), 'its own host').toMatch(/^one saw /);

    // Two addresses behind the same route, and only the one of instance metadata is out of reach, in both versions of IP.
    const hostNetns = one.network.netns ?? '';
    await one.connect(one.networks, bridged('curious', []));
    const curious = one.place(one.networks, 'curious').netns;
    const inHost = (...lines: string[]) => ipBatch('making', lines, hostNetns);
    const set = (netns: string, name: string, value: string) => writeSysctl(`net/ipv6/conf/${name}`, value, netns);
    await ipBatch(
      'making',
      ['169.254.169.254', '169.254.169.253'].map((address) => `addr add ${address}/32 dev lo`),
      inOne.netns,
    );
    await inHost(`route add 169.254.169.252/30 via ${inOne.address}`);
    // What a task would do that makes its own frames; and a host that forwards them.
    await set(hostNetns, 'all/forwarding', '1');
    await inHost(`addr add fd00:88::1/64 dev ${one.network.bridge} nodad`, 'route add fd00:ec2::/64 via fd00:88::2');
    const addresses6 = ['fd00:88::2/64 dev eth0', 'fd00:ec2::254/128 dev lo', 'fd00:ec2::253/128 dev lo'];
    await ipBatch(
      'making',
      addresses6.map((address) => `addr add ${address} nodad`),
      inOne.netns,
    );
    await ipBatch('making', ['addr add fd00:88::3/64 dev eth0 nodad', 'route add default via fd00:88::1'], curious);
    // Neighbours take their time to find each other in a network that has just been made.
    for (const from of [hostNetns, curious])
      await expect.poll(() => reach(from, 'fd00:88::2', 80), { timeout: 10_000 }).toMatch(/^one saw /);
    for (const from of [hostNetns, curious])
      for (const network of ['169.254.169.', 'fd00:ec2::']) {
        expect(await reach(from, `${network}253`, 80), `${from} ${network}`).toMatch(/^one saw /);
        expect(await reach(from, `${network}254`, 80, 300), `${from} ${network}`).toBe('timeout');
      }
  });
});
