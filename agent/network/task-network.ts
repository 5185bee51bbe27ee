/**
 * The networks of a host's tasks. In bridge mode each container has a network namespace with an address of its own, so that two
 * containers of a task may listen on the same port, as in ECS; in host mode only its ports are taken. What a task has is recorded
 * before it is made. Never touches what is not named after this host.
 */
import { randomInt } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { hostSpan, portsOf } from '../../core/model/port-span.ts';
import { type HostPort, hostPort } from '../../core/model/resources.ts';
import type { NetworkBinding } from '../../core/model/task.ts';
import type { ContainerSpec, TaskSpec } from '../../core/model/task-spec.ts';
import { allEnded } from '../all-ended.ts';
import type { NetworkConfig } from '../config.ts';
import { AddressPool, parseSubnet, type Subnet } from './addresses.ts';
import { Firewall, type FirewallOptions } from './firewall.ts';
import type { HostMode } from './host-mode.ts';
import { firewallShape, type HostNetwork, makeHostNetwork } from './host-network.ts';
import { MetadataEndpoint } from './metadata-endpoint.ts';
import { newMetadataId } from './metadata-ids.ts';
import type { AnswerMetadata } from './metadata-server.ts';
import { containerNetns, listContainerNetns, netnsPath } from './names.ts';
import { probeByBinding, probeByListing, takePorts } from './ports.ts';
import { type Publication, publicationsOf } from './publications.ts';
import { type ContainerRecord, NetworkRecords, type TaskRecord } from './records.ts';
import { connectPlaces, makeNamespaces, type Place } from './task-links.ts';
import { ipBatch } from './tool.ts';

export interface TaskNetworksOptions {
  readonly network: NetworkConfig;
  /** Begins the names of namespaces: unique on this machine. */
  readonly owner: string;
  /** Where records are kept. */
  readonly directory: string;
  readonly hostMode: HostMode;
  /** Absent: the first of this machine that works. */
  readonly backends?: FirewallOptions['backends'];
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** What does not keep tasks from their network. */
  readonly warn: (error: unknown, message: string) => void;
}

/** Bindings by container name. */
export type Bindings = Readonly<Record<string, readonly NetworkBinding[]>>;

export class TaskNetworks {
  readonly #options: TaskNetworksOptions;
  readonly #subnet: Subnet;
  readonly #records: NetworkRecords;
  readonly #byTask = new Map<string, TaskRecord>();
  readonly #addresses: AddressPool;
  readonly #portHolders = new Map<HostPort, string>();
  readonly #firewall: Firewall;
  readonly #metadata: MetadataEndpoint;
  /** By task: settles when its network is whole. Absent while nobody has seen to it in this agent's life. */
  readonly #whole = new Map<string, Promise<void>>();
  #host: Promise<HostNetwork> | undefined;

  private constructor(options: TaskNetworksOptions) {
    this.#options = options;
    this.#subnet = parseSubnet(options.network.subnet);
    this.#records = new NetworkRecords(options.directory);
    this.#addresses = new AddressPool(this.#subnet, randomInt(2 ** 32));
    const { network, hostMode, backends } = options;
    this.#metadata = new MetadataEndpoint(network, options.now);
    this.#firewall = new Firewall({
      ...(backends === undefined ? {} : { backends }),
      shape: firewallShape(network, hostMode.match),
      netns: network.netns,
      localAddresses: () => [
        network.hostAddress,
        this.#subnet.gateway,
        ...(network.netns === undefined ? ownAddresses() : []),
      ],
    });
  }

  /** Takes over what an earlier agent recorded. Nothing is made before it is needed, or `makeHost` is called. */
  static async open(options: TaskNetworksOptions): Promise<TaskNetworks> {
    const networks = new TaskNetworks(options);
    for (const record of await networks.#records.all()) networks.#adopt(record);
    return networks;
  }

  /** Makes what all tasks share: bridge and firewall. Throws Error; the next task that needs it tries again. */
  async makeHost(): Promise<HostNetwork> {
    this.#host ??= this.#makeHost();
    try {
      return await this.#host;
    } catch (error) {
      this.#host = undefined;
      throw error;
    }
  }

  async #makeHost(): Promise<HostNetwork> {
    const host = await makeHostNetwork(this.#options.network);
    try {
      this.#firewall.leadMetadataTo(await this.#metadata.open());
    } catch (error) {
      this.#options.warn(error, 'the task metadata endpoint is not offered: nothing can listen for it');
    }
    await this.#firewall.ready();
    return host;
  }

  /** What is answered to containers at their address of the task metadata endpoint. */
  answerMetadata(answer: AnswerMetadata): void {
    this.#metadata.answerWith(answer);
  }

  /** The address at which a container of a prepared task asks; undefined where there is none (network mode none). */
  metadataUriOf(taskId: string, container: string): string | undefined {
    return this.#metadata.uriOf(this.#byTask.get(taskId), container);
  }

  close(): void {
    this.#metadata.close();
  }

  /** Puts right what others did to the firewall since. Answers whether it had to; throws ToolError. */
  async repair(): Promise<boolean> {
    return await this.#firewall.repair();
  }

  /**
   * Takes addresses and ports and makes the namespaces, which is what containers need to be created; `whole` makes the rest, best while
   * they are. Throws Error with a sentence; `remove` takes away what was made.
   */
  async prepare(task: TaskSpec): Promise<Bindings> {
    if (task.networkMode === 'none') return {};
    const host = await this.makeHost();
    if (task.networkMode === 'host' && !this.#firewall.keepsHostMode)
      throw new Error(
        'Network mode host is refused on this host: its firewall cannot keep tasks from the instance metadata, which takes ' +
          'control groups version 2 (or net_cls), and the cgroup match of iptables and ip6tables in its kernel. Use bridge.',
      );
    const known = this.#byTask.get(task.taskId);
    // A record without containers is one that a power cut destroyed.
    const record = known !== undefined && known.containers.length > 0 ? known : await this.#allocate(task, host);
    if (task.networkMode === 'bridge') await makeNamespaces(this.#placesOf(record));
    return bindingsOf(record);
  }

  /** Resolves when the network is as containers need it to run: links, addresses, published ports. Throws Error; may be called again. */
  async whole(taskId: string): Promise<void> {
    const record = this.#byTask.get(taskId);
    if (record === undefined || this.#placesOf(record).length === 0) return;
    await (this.#whole.get(taskId) ?? this.#complete(record));
  }

  /**
   * Throws an Error where a container's process would come past the rules that keep it from instance metadata. To be asked before it
   * runs.
   */
  async checkProcess({ networkMode }: TaskSpec, cgroup: string, pid: number): Promise<void> {
    if (networkMode !== 'host' || (await this.#options.hostMode.matches(cgroup, pid))) return;
    throw new Error(
      'Network mode host is refused on this host: its runc does not put containers into the control group by which the firewall ' +
        'keeps tasks from the instance metadata. Install runc 1.1 or newer, or use bridge.',
    );
  }

  /** Where a container of a prepared task in bridge mode is. */
  placeOf(taskId: string, containerName: string): { readonly netns: string; readonly address: string } | undefined {
    const record = this.#byTask.get(taskId)?.containers.find(({ name }) => name === containerName);
    if (record?.address === undefined) return undefined;
    return { netns: netnsPath(this.#netnsOf(taskId, record)), address: record.address };
  }

  /** Every task that has something of a network here, by its record or by a namespace. */
  inventory(): ReadonlyMap<string, Bindings> {
    const found = new Map<string, Bindings>();
    for (const { taskId } of listContainerNetns(this.#options.owner)) found.set(taskId, {});
    for (const record of this.#byTask.values()) found.set(record.taskId, bindingsOf(record));
    return found;
  }

  /** Takes the task's network away. Fine if there is none. */
  async remove(taskId: string): Promise<void> {
    await this.#whole.get(taskId)?.catch(() => {}); // What is being made now cannot be taken away.
    this.#whole.delete(taskId);
    const namespaces = listContainerNetns(this.#options.owner).filter((found) => found.taskId === taskId);
    const record = this.#byTask.get(taskId);
    if (record === undefined && namespaces.length === 0) return;
    await Promise.all([
      this.#firewall.unpublish(taskId),
      // The veth pair goes with its namespace. Deleting the pair itself would wait 30 ms for the kernel.
      ipBatch(
        'removing',
        namespaces.map(({ name }) => `netns del ${name}`),
      ),
    ]);
    await this.#records.remove(taskId);
    // Not before: whoever gets the address or port next must not meet rules that lead here.
    if (record !== undefined) this.#release(record);
  }

  async #allocate(task: TaskSpec, host: HostNetwork): Promise<TaskRecord> {
    const containers: ContainerRecord[] = [];
    try {
      for (const container of task.containers) {
        const address = task.networkMode === 'bridge' ? { address: this.#addresses.take() } : {};
        containers.push({ name: container.name, ...address, bindings: [] }); // Known to the clean-up below from here on.
        const bindings = await this.#takePorts(task, container, host);
        containers.splice(-1, 1, { name: container.name, ...address, bindings, metadataId: newMetadataId() });
      }
      const record: TaskRecord = { version: 1, taskId: task.taskId, containers };
      await this.#records.write(record);
      this.#byTask.set(task.taskId, record);
      this.#metadata.add(record);
      return record;
    } catch (error) {
      this.#release({ version: 1, taskId: task.taskId, containers });
      for (const [key, holder] of this.#portHolders) if (holder === task.taskId) this.#portHolders.delete(key);
      throw error;
    }
  }

  async #takePorts(task: TaskSpec, container: ContainerSpec, { dynamicPorts }: HostNetwork): Promise<NetworkBinding[]> {
    const { netns, hostAddress } = this.#options.network;
    const mappings = container.portMappings.map((mapping) =>
      task.networkMode === 'host' ? { ...mapping, hostPort: mapping.containerPort } : mapping,
    );
    const isMany = mappings.some(({ containerPortRange }) => containerPortRange !== undefined);
    return await takePorts({
      mappings,
      holders: this.#portHolders,
      taskId: task.taskId,
      range: dynamicPorts,
      isListening: netns === undefined && !isMany ? probeByBinding : probeByListing(netns),
      random: Math.random,
      // A host with a network namespace of its own is reached at its own address only.
      bindIP: netns === undefined ? '0.0.0.0' : hostAddress,
    });
  }

  /** Remembered, so that it is done once; a failure is forgotten. */
  #complete(record: TaskRecord): Promise<void> {
    const { taskId } = record;
    const whole = this.makeHost().then((host) =>
      allEnded([
        connectPlaces(this.#placesOf(record), { ...this.#options.network, mtu: host.mtu }),
        this.#firewall.publish(taskId, publishedBy(record)),
      ]),
    );
    this.#whole.set(taskId, whole);
    whole.catch(() => {
      if (this.#whole.get(taskId) === whole) this.#whole.delete(taskId);
    });
    return whole;
  }

  /** Containers with a namespace of their own. */
  #placesOf({ taskId, containers }: TaskRecord): Place[] {
    return containers.flatMap((container) =>
      container.address === undefined ? [] : [{ address: container.address, name: this.#netnsOf(taskId, container) }],
    );
  }

  #adopt(record: TaskRecord): void {
    this.#byTask.set(record.taskId, record);
    this.#metadata.add(record);
    for (const { address } of record.containers) if (address !== undefined) this.#addresses.claim(address);
    for (const key of portsHeldBy(record)) this.#portHolders.set(key, record.taskId);
    this.#firewall.adopt(record.taskId, publishedBy(record));
  }

  #release(record: TaskRecord): void {
    this.#byTask.delete(record.taskId);
    this.#metadata.remove(record);
    for (const { address } of record.containers) if (address !== undefined) this.#addresses.release(address);
    for (const key of portsHeldBy(record)) this.#portHolders.delete(key);
  }

  #netnsOf(taskId: string, { name }: ContainerRecord): string {
    return containerNetns(this.#options.owner, taskId, name);
  }
}

/** Host mode has no address, and needs no rule: its processes listen on the host itself. */
const publishedBy = ({ containers }: TaskRecord): Publication[] =>
  containers.flatMap(({ address, bindings }) => (address === undefined ? [] : publicationsOf(address, bindings)));

const portsHeldBy = ({ containers }: TaskRecord): HostPort[] =>
  containers.flatMap(({ bindings }) =>
    bindings.flatMap((binding) => portsOf(hostSpan(binding)).map((port) => hostPort(binding.protocol, port))),
  );

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));

const bindingsOf = ({ containers }: TaskRecord): Bindings =>
  Object.fromEntries(containers.map(({ name, bindings }) => [name, bindings]));
