/** Ports that a host publishes, under both kinds of iptables: every protocol and range, what others do to the rules, flows that stay. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openHostMode } from '../../../agent/network/host-mode.ts';
import {
  createHostNamespace,
  removeHostNamespace,
  removeMachineBridge,
} from '../../../agent/network/host-namespace.ts';
import { netnsPath } from '../../../agent/network/names.ts';
import { TaskNetworks } from '../../../agent/network/task-network.ts';
import { runTool } from '../../../agent/network/tool.ts';
import type { PortMapping } from '../../../core/model/task-definition.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';
import { firewallLines, reach, servePorts, testNetwork } from './network-peers.ts';

const noGroups = { unified: undefined, byController: new Map<string, string>() };

/** A host in a network namespace of its own, which this process reaches over a bridge as other machines do. */
async function separateHost(index: number, iptables: string) {
  const stack = new AsyncDisposableStack();
  const { owner, ...rest } = testNetwork(index);
  const prefix = rest.subnet.split('.').slice(0, 3).join('.');
  const namespace = {
    name: `${rest.bridge}-h`,
    bridge: `${rest.bridge}m`,
    address: `${prefix}.2`,
    gateway: `${prefix}.1/24`,
  };
  stack.defer(() => removeMachineBridge(namespace.bridge));
  stack.defer(() => removeHostNamespace(namespace.name));
  await createHostNamespace(namespace);
  const netns = netnsPath(namespace.name);
  const network = { ...rest, subnet: `10.87.${index}.0/24`, netns, hostAddress: namespace.address };
  const directory = stack.use(await mkdtempDisposable(join(tmpdir(), 'gantry-network-')));
  const hostMode = await openHostMode(netns, `/${owner}`, noGroups);
  const backends = { IPv4: [iptables], IPv6: [iptables.replace('iptables', 'ip6tables')] };
  const surroundings = { now: Date.now, warn: () => {} };
  const networks = await TaskNetworks.open({
    network,
    owner,
    directory: directory.path,
    hostMode,
    backends,
    ...surroundings,
  });
  stack.defer(() => networks.close());
  stack.defer(async () => {
    for (const taskId of networks.inventory().keys()) await networks.remove(taskId);
  });
  return {
    networks,
    network,
    /** As an agent that starts again, on a machine that was told to use another iptables. */
    openWith: (other: string) =>
      TaskNetworks.open({
        network,
        owner,
        directory: directory.path,
        hostMode,
        backends: { IPv4: [other], IPv6: [other.replace('iptables', 'ip6tables')] },
        ...surroundings,
      }),
    address: namespace.address,
    /** A command of iptables, as an administrator gives it on the host. */
    iptables: (...args: string[]) => runTool(iptables, args, { netns }),
    /** A task that serves what it publishes. */
    async run(taskId: string, portMappings: PortMapping[], served: { tcp?: number[]; udp?: number[] }) {
      const task = taskSpec({
        taskId,
        networkMode: 'bridge',
        containers: [containerSpec({ name: 'a', portMappings })],
      });
      const bindings = (await networks.prepare(task)).a ?? [];
      await networks.whole(taskId);
      const server = stack.use(await servePorts(networks.placeOf(taskId, 'a')?.netns ?? '', taskId, served));
      return { bindings, server };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Sends again and again from one port until that is the answer. */
async function untilAnswered(socket: Socket, port: number, address: string, answer: string): Promise<void> {
  const heard: string[] = [];
  socket.on('message', (text) => heard.push(text.toString()));
  await expect
    .poll(
      () => {
        socket.send('hello', port, address);
        return heard;
      },
      { interval: 20, timeout: 5000 },
    )
    .toContain(answer);
  socket.removeAllListeners('message');
}

describeWithContainers('published ports', () => {
  it.each(['iptables-nft', 'iptables-legacy'])(
    'lead to their task, and come back after a flush, with %s',
    async (iptables) => {
      await using host = await separateHost(iptables === 'iptables-nft' ? 4 : 5, iptables);
      // As Docker leaves it; and a rule that is none of ours.
      await host.iptables('-P', 'FORWARD', 'DROP');
      const mappings: PortMapping[] = [
        { containerPort: 80, hostPort: 8080, protocol: 'tcp' },
        { containerPortRange: '7000-7002', protocol: 'tcp' },
        { containerPortRange: '53-54', protocol: 'udp' },
      ];
      const served = { tcp: [80, 7000, 7001, 7002], udp: [53, 54] };
      const { bindings } = await host.run('first', mappings, served);
      const range = bindings.find(({ containerPortRange }) => containerPortRange === '7000-7002');
      const first = Number(range?.hostPortRange?.split('-')[0]);
      expect(range).toEqual({
        bindIP: host.address,
        containerPortRange: '7000-7002',
        hostPortRange: `${first}-${first + 2}`,
        protocol: 'tcp',
      });
      for (const [from, address] of [
        [undefined, host.address],
        [host.network.netns, host.address],
        [host.network.netns, '127.0.0.1'],
      ] as const) {
        expect(await reach(from, address, 8080)).toBe('first on 80');
        expect(await reach(from, address, first + 1)).toBe('first on 7001');
        expect(await reach(from, address, first + 2)).toBe('first on 7002');
      }
      const udp = Number(bindings.find(({ protocol }) => protocol === 'udp')?.hostPortRange?.split('-')[0]);
      const sender = createSocket('udp4').bind(0, '0.0.0.0');
      await once(sender, 'listening');
      await untilAnswered(sender, udp + 1, host.address, 'first on 54');
      sender.close();

      const rules = await firewallLines(host.network.chainPrefix, host.network.netns);
      expect(
        rules.filter((line) => line.includes('-PORTS -p')),
        'one a range',
      ).toHaveLength(3);
      expect(await host.networks.repair(), 'nothing is amiss').toBe(false);
      const flush = async () => {
        for (const table of ['filter', 'nat']) await host.iptables('-t', table, '-F');
        await host.iptables('-A', 'INPUT', '-s', '203.0.113.1/32', '-j', 'DROP');
      };
      await flush();
      expect(await reach(undefined, host.address, 8080, 300)).not.toBe('first on 80');
      expect(await host.networks.repair()).toBe(true);
      expect(await reach(undefined, host.address, 8080)).toBe('first on 80');
      expect(await host.iptables('-S', 'INPUT')).toContain('203.0.113.1/32');
      expect(new Set(await firewallLines(host.network.chainPrefix, host.network.netns))).toEqual(new Set(rules));

      // Gone while nobody looked, and found so with the next change.
      await flush();
      const second = await host.run('second', [{ containerPort: 80, hostPort: 8081, protocol: 'tcp' }], { tcp: [80] });
      expect(second.bindings).toHaveLength(1);
      expect(await reach(undefined, host.address, 8081)).toBe('second on 80');
      expect(await reach(undefined, host.address, 8080)).toBe('first on 80');
      expect(await host.networks.repair()).toBe(false);
    },
  );

  it('move with their host to another iptables', async () => {
    await using host = await separateHost(7, 'iptables-nft');
    await host.run('moved', [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' }], { tcp: [80] });
    const again = await host.openWith('iptables-legacy');
    await again.makeHost();
    again.close();
    const { chainPrefix, netns } = host.network;
    const saved = (program: string) => runTool(program, [], { netns });
    for (const program of ['iptables-nft-save', 'ip6tables-nft-save'])
      expect(await saved(program)).not.toContain(`${chainPrefix}-`);
    expect(await saved('iptables-legacy-save')).toContain('--dport 8080');
    expect(await reach(undefined, host.address, 8080)).toBe('moved on 80');
  });

  it('of udp lead senders that never pause to the task that has the port now', async () => {
    await using host = await separateHost(6, 'iptables-nft');
    await host.networks.makeHost();
    const mapping: PortMapping[] = [{ containerPort: 53, hostPort: 5300, protocol: 'udp' }];
    const sender = createSocket('udp4').bind(0, '0.0.0.0');
    await once(sender, 'listening');
    const flows = () =>
      runTool('conntrack', ['-L', '-p', 'udp', '--orig-port-dst', '5300'], { netns: host.network.netns });
    // Nobody has the port yet, and the kernel remembers that.
    sender.send('hello', 5300, host.address);
    await expect.poll(flows, { timeout: 5000 }).toContain('dport=5300');
    const one = await host.run('one', mapping, { udp: [53] });
    await untilAnswered(sender, 5300, host.address, 'one on 53');
    await one.server[Symbol.asyncDispose]();
    await host.networks.remove('one');
    expect(await flows(), 'nothing leads to the task that was').not.toMatch(/src=10\.87\./);
    sender.send('hello', 5300, host.address);
    await host.run('two', mapping, { udp: [53] });
    await untilAnswered(sender, 5300, host.address, 'two on 53');
    sender.close();
  });
});
