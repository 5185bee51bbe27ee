/**
 * A real host for tests of the runtime: containerd and a registry of the test file's own, and for each host a containerd namespace,
 * a cgroup parent, a bridge and firewall chains that nothing else on this machine uses. Knows everything that a host may leave behind.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { detectCgroups } from '../../../agent/cgroups/cgroups.ts';
import { type RuntimeConfig, runtimeConfigSchema } from '../../../agent/config.ts';
import { type Containerd, connect } from '../../../agent/containerd/client.ts';
import { createContainerdRuntime } from '../../../agent/containerd/runtime.ts';
import { removeHostNetwork } from '../../../agent/network/host-network.ts';
import type { PulledImage, Runtime } from '../../../agent/runtime.ts';
import { busyboxImage } from '../../../local/images/busybox-image.ts';
import type { Image } from '../../../local/images/image.ts';
import { pushImage } from '../../../local/images/push-image.ts';
import { startRegistry } from '../../../local/images/registry.ts';
import { shimsOf, startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { firewallLines, namespacesOf, testNetwork } from '../network/network-peers.ts';

const log = pino({ level: process.env.GANTRY_TEST_LOG ?? 'silent' });

export interface RealMachine extends AsyncDisposable {
  readonly daemon: TestContainerd;
  readonly client: Containerd;
  /** A static busybox, with root, app (1000) and nobody. */
  readonly image: string;
  readonly missingImage: string;
  /** Puts it into the registry and answers its reference. */
  publish(image: Image, repository: string): Promise<string>;
  /** A host of its own; `netns` and `address` for one that lives in a network namespace. */
  host(options?: { readonly netns?: string; readonly hostAddress?: string }): Promise<RealHost>;
}

export interface RealHost extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly config: RuntimeConfig;
  reopen(): Promise<Runtime>;
  pull(reference: string): Promise<PulledImage>;
  /** Everything of this host that is on the machine now: empty when all is removed. */
  leftovers(): Promise<string[]>;
}

export async function startRealMachine(): Promise<RealMachine> {
  const stack = new AsyncDisposableStack();
  const daemon = stack.use(await startContainerd());
  const registry = stack.use(await startRegistry({ dir: join(daemon.dir, 'registry') }));
  const publish = async (image: Image, repository: string) =>
    (await pushImage(image, { registryUrl: registry.url, repository, tag: 'test' })).reference;
  const client = stack.use(connect(daemon.socket));
  let hosts = 0;
  return {
    daemon,
    client,
    image: await publish(await busyboxImage(), 'test/busybox'),
    missingImage: `${new URL(registry.url).host}/test/missing:latest`,
    publish,
    host: (options = {}) => openHost({ daemon, client, number: hosts++, ...options }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

interface HostOptions {
  readonly daemon: TestContainerd;
  readonly client: Containerd;
  readonly number: number;
  readonly netns?: string;
  readonly hostAddress?: string;
}

async function openHost({ daemon, client, number, ...network }: HostOptions): Promise<RealHost> {
  const { owner, ...base } = testNetwork(number % 4);
  const namespace = `${owner}-${number}`;
  const config = runtimeConfigSchema.parse({
    socket: daemon.socket,
    namespace,
    runtimeRoot: join(daemon.dir, 'runc'),
    stateDirectory: join(daemon.dir, 'state', namespace),
    cgroupParent: `/${owner}/host-${number}`,
    network: { ...base, ...network },
  });
  const stack = new AsyncDisposableStack();
  const open = async () => {
    const runtime = await createContainerdRuntime(config, { log });
    stack.defer(() => runtime.close());
    return runtime;
  };
  stack.defer(async () => {
    await removeHostNetwork(config.network);
    await detectCgroups().removeGroup(`/${owner}`);
  });
  const runtime = await open();
  return {
    runtime,
    config,
    reopen: open,
    pull: (reference) => runtime.pullImage(reference, () => {}, new AbortController().signal),
    leftovers: () => leftovers(daemon, client, config),
    async [Symbol.asyncDispose]() {
      try {
        const last = await open();
        for (const { taskId } of await last.inventory()) await last.removeTask(taskId);
      } finally {
        await stack.disposeAsync();
      }
    },
  };
}

async function leftovers(daemon: TestContainerd, client: Containerd, config: RuntimeConfig): Promise<string[]> {
  const named = (kind: string, names: readonly string[]) => names.map((name) => `${kind} ${name}`);
  return [
    ...(await leftInContainerd(client, config.namespace)),
    ...named('shim', shimsOf(daemon.socket, config.namespace).map(String)),
    ...named('runc state', listed(join(config.runtimeRoot, config.namespace))),
    ...named('cgroup', await detectCgroups().childGroups(config.cgroupParent)),
    ...named('mount', mountsBelow(join(daemon.paths.state, 'io.containerd.runtime.v2.task', config.namespace))),
    ...(await leftOfNetworks(config)),
    ...['tasks', 'network'].flatMap((part) => named('file', listed(join(config.stateDirectory, part)))),
  ];
}

async function leftInContainerd(client: Containerd, namespace: string): Promise<string[]> {
  const containerd = client.withNamespace(namespace);
  const [{ containers }, { tasks }, { leases }] = await Promise.all([
    containerd.containers.list({}),
    containerd.tasks.list({}),
    containerd.leases.list({}),
  ]);
  const snapshots: string[] = [];
  for await (const { info } of containerd.snapshots.list({ snapshotter: 'overlayfs' }))
    snapshots.push(...info.map(({ name }) => name).filter((name) => !name.startsWith('sha256:'))); // Those of images stay.
  return [
    ...containers.map(({ id }) => `container ${id}`),
    ...tasks.map(({ id }) => `process ${id}`),
    ...leases.map(({ id }) => `lease ${id}`),
    ...snapshots.map((name) => `snapshot ${name}`),
  ];
}

async function leftOfNetworks({ namespace, network }: RuntimeConfig): Promise<string[]> {
  const rules = await firewallLines(network.chainPrefix, network.netns);
  const attached = network.netns === undefined ? listed(`/sys/class/net/${network.bridge}/brif`) : [];
  return [
    ...namespacesOf(`${namespace}-`).map((name) => `network namespace ${name}`),
    ...attached.map((name) => `link ${name}`),
    ...rules.filter((rule) => rule.includes('-PORTS -p')),
  ];
}

const listed = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : []);

const mountsBelow = (directory: string): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((mountPoint) => mountPoint.startsWith(`${directory}/`));
