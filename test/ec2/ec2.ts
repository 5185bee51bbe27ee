/**
 * An EC2 of our own for tests, which the unmodified SDK speaks to over HTTP: requests are held against AWS' own model, and what matters
 * to who buys machines (templates, client tokens, capacity, limits, states with delays, spot) behaves as AWS documents it. Its instances
 * are facts alone, or whatever `startInstance` makes of them. Time is `now`'s: what is due happens at the next request or at `settle`,
 * and with the real clock also by itself.
 */
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { catalogOperations } from './actions/catalog.ts';
import { createFleet } from './actions/create-fleet.ts';
import { describeFleets } from './actions/describe-fleets.ts';
import { instanceOperations } from './actions/instances.ts';
import { launchTemplateOperations } from './actions/launch-templates.ts';
import { runInstances } from './actions/run-instances.ts';
import { Capacity, type VcpuLimit } from './capacity.ts';
import { ClientTokens } from './client-tokens.ts';
import { type Ec2EventListener, Events } from './events.ts';
import { type Fault, Faults } from './faults.ts';
import { Ids } from './ids.ts';
import { Catalog, defaultTypes, type InstanceTypeFacts } from './instance-types.ts';
import { type Delays, type Ec2Instance, Instances } from './instances.ts';
import type { Architectures } from './launch-data.ts';
import { LaunchTemplates } from './launch-templates.ts';
import { Launcher } from './launcher.ts';
import { Machines, type StartInstance } from './machines.ts';
import { type SeenRequest, startServer } from './server.ts';
import { Subnets } from './subnets.ts';
import type { World } from './world.ts';

export interface Ec2Options {
  /** `us-east-1` where nothing is said. */
  readonly region?: string;
  readonly account?: string;
  readonly types?: readonly InstanceTypeFacts[];
  readonly zones?: readonly string[];
  /** Of the subnets, one for each zone; `10.0.0.0/16`, `10.1.0.0/16` and so on where nothing is said. */
  readonly cidrs?: readonly string[];
  /** Images with their architectures; absent: any image will do for any type. */
  readonly images?: Architectures;
  readonly vcpuLimit?: VcpuLimit;
  /** All at once where nothing is said, but what is ended is remembered for an hour. */
  readonly delays?: Partial<Delays>;
  readonly now?: () => number;
  /** At most that many on a page. */
  readonly pageSize?: number;
  /** A repeated CreateFleet is told which fleet it made, and no more: AWS does not promise more. */
  readonly terseRepeats?: boolean;
  /** When an instance begins to run; what it answers is ended when the instance is. */
  readonly startInstance?: StartInstance;
}

/** An instance as it is, whether or not it can be described yet. */
export interface InstanceTruth {
  readonly instanceId: string;
  readonly instanceType: string;
  readonly zone: string;
  readonly lifecycle: 'spot' | 'on-demand';
  readonly state: Ec2Instance['state'];
  readonly stateReason: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly privateIp: string;
  readonly clientToken: string;
  readonly fleetId: string | undefined;
  readonly launchedAt: number;
  readonly visible: boolean;
}

export interface Ec2UnderTest extends AsyncDisposable {
  readonly url: string;
  readonly region: string;
  readonly account: string;
  /** By zone. */
  readonly subnets: Readonly<Record<string, string>>;
  readonly instanceTypes: readonly InstanceTypeFacts[];
  /** All that came, in order, also what was refused. */
  readonly requests: readonly SeenRequest[];
  launchTemplate(data: RequestLaunchTemplateData): { readonly launchTemplateId: string; readonly version: string };
  /** From now on there are `left` of it, spot and on demand together, until it is refilled. */
  exhaust(type: string, zone: string, left?: number): void;
  refill(type: string, zone: string): void;
  failNext(fault: Fault): void;
  /** Takes a spot instance back: the event at once, the end after two minutes of the clock. */
  interrupt(instanceId: string): void;
  rebalance(instanceId: string): void;
  /** Answers how to stop listening. */
  onEvent(listener: Ec2EventListener): () => void;
  /** Not those that are forgotten. */
  instances(): readonly InstanceTruth[];
  /** Until all that is due has happened, with what hooks and listeners make of it; rejects with what failed of these. */
  settle(): Promise<void>;
}

const defaultDelays: Delays = { visible: 0, running: 0, shuttingDown: 0, forgotten: 3_600_000 };

export async function startEc2(options: Ec2Options = {}): Promise<Ec2UnderTest> {
  const events = new Events(placeOf(options));
  const changed = (): void => timer?.set();
  const machines = new Machines(options.startInstance, changed);
  const faults = new Faults();
  const requests: SeenRequest[] = [];
  const world = makeWorld(options, events, machines);
  const { instances } = world;
  const timer = options.now === undefined ? timerFor(instances) : undefined;
  const operations = new Map(operationsOf(world).map((operation) => [operation.schema[2], operation]));
  const server = await startServer({ operations, faults, requests, advance: () => instances.advance(), changed });
  return {
    url: server.url,
    ...factsOf(world),
    ...controlsOf(world, events, changed),
    requests,
    failNext: (fault) => faults.failNext(fault),
    settle: () => settle(instances, machines, events),
    async [Symbol.asyncDispose]() {
      timer?.clear();
      await server[Symbol.asyncDispose]();
      await machines.stopAll();
    },
  };
}

const factsOf = ({ region, account, subnets, catalog }: World) => ({
  region,
  account,
  subnets: Object.fromEntries(subnets.all.map(({ zone, subnetId }) => [zone, subnetId])),
  instanceTypes: catalog.types,
});

type Controls = Pick<
  Ec2UnderTest,
  'launchTemplate' | 'exhaust' | 'refill' | 'interrupt' | 'rebalance' | 'onEvent' | 'instances'
>;

/** What a test does to the world without asking it. */
function controlsOf({ instances, capacity, templates, now }: World, events: Events, changed: () => void): Controls {
  const current = (instanceId: string): Ec2Instance => {
    instances.advance();
    return instances.get(instanceId);
  };
  return {
    launchTemplate(data) {
      const { launchTemplateId } = templates.create(`template-${templates.all.length + 1}`, data, {});
      return { launchTemplateId, version: '1' };
    },
    exhaust: (type, zone, left = 0) => capacity.exhaust(type, zone, left),
    refill: (type, zone) => capacity.refill(type, zone),
    interrupt(instanceId) {
      instances.interrupt(current(instanceId));
      changed();
    },
    rebalance: (instanceId) => events.rebalance(current(instanceId), now()),
    onEvent: (listener) => events.onEvent(listener),
    instances() {
      instances.advance();
      return instances.all.map((instance) => truthOf(instance, instances.isVisible(instance)));
    },
  };
}

const placeOf = ({ region = 'us-east-1', account = '123456789012' }: Ec2Options) => ({ region, account });

function makeWorld(options: Ec2Options, events: Events, machines: Machines): World {
  const { region, account } = placeOf(options);
  const now = options.now ?? Date.now;
  const zones = options.zones ?? ['a', 'b', 'c'].map((letter) => `${region}${letter}`);
  const catalog = new Catalog(options.types ?? defaultTypes, zones);
  const subnets = new Subnets(zones, region, options.cidrs);
  const capacity = new Capacity(catalog, options.vcpuLimit);
  const ids = new Ids();
  const instances = new Instances({ now, delays: { ...defaultDelays, ...options.delays }, events, machines });
  return {
    region,
    account,
    now,
    pageSize: options.pageSize,
    images: options.images,
    catalog,
    subnets,
    capacity,
    templates: new LaunchTemplates({ now, ids }),
    instances,
    launcher: new Launcher({ capacity, subnets, instances, ids }),
    tokens: new ClientTokens(),
    fleets: new Map(),
    terseRepeats: options.terseRepeats ?? false,
    ids,
  };
}

const operationsOf = (world: World) => [
  runInstances(world),
  createFleet(world),
  describeFleets(world),
  ...instanceOperations(world),
  ...launchTemplateOperations(world),
  ...catalogOperations(world),
];

/** What a hook or a listener does may make something else due, or be heard of by another. */
async function settle(instances: Instances, machines: Machines, events: Events): Promise<void> {
  do {
    instances.advance();
    await machines.settle();
    await events.settle();
  } while (events.isBusy || instances.isDue);
}

/** With the real clock things happen by themselves. Keeps no process alive. */
function timerFor(instances: Instances) {
  let timer: NodeJS.Timeout | undefined;
  const set = (): void => {
    clearTimeout(timer);
    const { nextAt } = instances;
    if (nextAt === undefined) return;
    timer = setTimeout(ring, Math.max(0, Math.min(nextAt - Date.now(), 2 ** 31 - 1))).unref();
  };
  const ring = (): void => {
    instances.advance();
    set();
  };
  return { set, clear: () => clearTimeout(timer) };
}

const truthOf = (instance: Ec2Instance, visible: boolean): InstanceTruth => ({
  instanceId: instance.instanceId,
  instanceType: instance.type.name,
  zone: instance.zone,
  lifecycle: instance.lifecycle,
  state: instance.state,
  stateReason: instance.stateReason?.message,
  tags: { ...instance.tags },
  privateIp: instance.privateIp,
  clientToken: instance.clientToken,
  fleetId: instance.fleetId,
  launchedAt: instance.launchedAt,
  visible,
});
