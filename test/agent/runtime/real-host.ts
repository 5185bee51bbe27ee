/**
 * A real host for tests of the runtime: containerd and a registry of the test file's own, and for each host a containerd namespace,
 * a cgroup parent, a bridge and firewall chains that nothing else on this machine uses.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { detectCgroups } from '../../../agent/cgroups/cgroups.ts';
import type { RuntimeConfig } from '../../../agent/config.ts';
import { type Containerd, connect } from '../../../agent/containerd/client.ts';
import { createContainerdRuntime } from '../../../agent/containerd/runtime.ts';
import { removeHostNetwork } from '../../../agent/network/host-network.ts';
import type { PulledImage, Runtime } from '../../../agent/runtime.ts';
import { busyboxImage } from '../../../local/images/busybox-image.ts';
import { startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { firewallLines, namespacesOf, testNetwork } from '../network/network-peers.ts';

const log = pino({ level: process.env.GANTRY_TEST_LOG ?? 'silent' });

export interface RealMachine extends AsyncDisposable {
  readonly daemon: TestContainerd;
  readonly client: Containerd;
  /** A static busybox, with root, app (1000) and nobody. */
  readonly image: string;
  readonly missingImage: string;
  publish(image: Parameters<Awaited<ReturnType<typeof startFakeRegistry>>['publish']>[0], repository: string): string;
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
  const registry = stack.use(await startFakeRegistry());
  const client = stack.use(connect(daemon.socket));
  let hosts = 0;
  return {
    daemon,
    client,
    image: registry.publish(await busyboxImage(), 'test/busybox'),
    missingImage: `${registry.host}/test/missing:latest`,
    publish: (image, repository) => registry.publish(image, repository),
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
  const config: RuntimeConfig = {
    socket: daemon.socket,
    namespace,
    runtimeRoot: join(daemon.dir, 'runc'),
    stateDirectory: join(daemon.dir, 'state', namespace),
    cgroupParent: `/${owner}/host-${number}`,
    network: { ...base, ...network },
    insecureRegistries: [],
    registryCredentials: {},
  };
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
    leftovers: () => leftovers(client, config),
    async [Symbol.asyncDispose]() {
      const last = await open();
      for (const { taskId } of await last.inventory()) await last.removeTask(taskId);
      await stack.disposeAsync();
    },
  };
}

async function leftovers(client: Containerd, config: RuntimeConfig): Promise<string[]> {
  const containerd = client.withNamespace(config.namespace);
  const { containers } = await containerd.containers.list({});
  const { tasks } = await containerd.tasks.list({});
  const active: string[] = [];
  for await (const { info } of containerd.snapshots.list({ snapshotter: 'overlayfs' }))
    active.push(...info.filter(({ name }) => !name.startsWith('sha256:')).map(({ name }) => `snapshot ${name}`));
  const groups = await detectCgroups().childGroups(config.cgroupParent);
  const rules = await firewallLines(config.network.chainPrefix, config.network.netns);
  return [
    ...containers.map(({ id }) => `container ${id}`),
    ...tasks.map(({ id }) => `process ${id}`),
    ...active,
    ...groups.map((name) => `cgroup ${name}`),
    ...namespacesOf(config.namespace).map((name) => `namespace ${name}`),
    ...rules.filter((rule) => rule.includes('--to-destination')),
    ...(existsSync(join(config.stateDirectory, 'tasks')) ? readdirSync(join(config.stateDirectory, 'tasks')) : []),
    ...(existsSync(join(config.stateDirectory, 'network')) ? readdirSync(join(config.stateDirectory, 'network')) : []),
  ];
}
