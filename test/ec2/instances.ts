/**
 * The instances and what becomes of each with time: pending, running, shutting-down, terminated, forgotten. It knows when each step is
 * due and takes it when it is asked to advance; what runs for an instance is begun and ended by its hook.
 */
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { Lifecycle } from './capacity.ts';
import { noSuchInstances } from './errors.ts';
import type { Events } from './events.ts';
import type { InstanceTypeFacts } from './instance-types.ts';
import type { Machines } from './machines.ts';

export type InstanceState = 'pending' | 'running' | 'shutting-down' | 'terminated';

/** Milliseconds from one to the next. */
export interface Delays {
  /** From the launch until it can be described. */
  readonly visible: number;
  /** From the launch. */
  readonly running: number;
  readonly shuttingDown: number;
  /** From its end until EC2 knows it no more. */
  readonly forgotten: number;
}

/** What is settled with the launch. */
export interface Launch {
  readonly instanceId: string;
  readonly reservationId: string;
  readonly launchIndex: number;
  readonly type: InstanceTypeFacts;
  readonly zone: string;
  readonly subnetId: string;
  readonly privateIp: string;
  readonly lifecycle: Lifecycle;
  /** Template and request in one. */
  readonly data: RequestLaunchTemplateData;
  readonly tags: Record<string, string>;
  readonly clientToken: string;
  /** Of the CreateFleet that bought it. */
  readonly fleetId?: string;
}

export interface Ec2Instance extends Launch {
  /** Grows with each launch: the order in which they are listed. */
  readonly sequence: number;
  readonly launchedAt: number;
  state: InstanceState;
  /** Of the state. */
  since: number;
  stateReason?: { readonly code: string; readonly message: string };
  /** When EC2 takes it back. */
  interruptedAt?: number;
}

interface Step {
  readonly instance: Ec2Instance;
  readonly to: InstanceState | 'forgotten';
  readonly at: number;
}

const noticeMs = 120_000;
const order: readonly InstanceState[] = ['pending', 'running', 'shutting-down', 'terminated'];

export const endReasons = {
  user: { code: 'Client.UserInitiatedShutdown', message: 'Client.UserInitiatedShutdown: User initiated shutdown' },
  spot: {
    code: 'Server.SpotInstanceTermination',
    message: 'Server.SpotInstanceTermination: Spot instance termination',
  },
};

export class Instances {
  readonly #now: () => number;
  readonly #delays: Delays;
  readonly #events: Events;
  readonly #machines: Machines;
  readonly #all = new Map<string, Ec2Instance>();
  #launched = 0;

  constructor(parts: { now: () => number; delays: Delays; events: Events; machines: Machines }) {
    this.#now = parts.now;
    this.#delays = parts.delays;
    this.#events = parts.events;
    this.#machines = parts.machines;
  }

  /** The truth, in the order of launch. */
  get all(): readonly Ec2Instance[] {
    return [...this.#all.values()];
  }

  get visible(): readonly Ec2Instance[] {
    return this.all.filter((instance) => this.isVisible(instance));
  }

  isVisible({ launchedAt }: Ec2Instance): boolean {
    return this.#now() >= launchedAt + this.#delays.visible;
  }

  /** All of them or EC2's error: what cannot be seen yet is not there for those who name it either. */
  named(ids: readonly string[]): Ec2Instance[] {
    const visible = new Map(this.visible.map((instance) => [instance.instanceId, instance]));
    const missing = ids.filter((id) => !visible.has(id));
    if (missing.length > 0) throw noSuchInstances(missing);
    return [...new Set(ids)].flatMap((id) => visible.get(id) ?? []);
  }

  /** For tests: hidden ones too. */
  get(instanceId: string): Ec2Instance {
    const instance = this.#all.get(instanceId);
    if (instance === undefined) throw new Error(`instanceId: there is no instance ${instanceId}`);
    return instance;
  }

  vcpusInUse(lifecycle: Lifecycle): number {
    return this.all
      .filter((instance) => instance.lifecycle === lifecycle && !isEnding(instance))
      .reduce((sum, { type }) => sum + type.vcpus, 0);
  }

  launch(launch: Launch): Ec2Instance {
    this.#launched += 1;
    const now = this.#now();
    const instance: Ec2Instance = {
      ...launch,
      sequence: this.#launched,
      launchedAt: now,
      state: 'pending',
      since: now,
    };
    this.#all.set(instance.instanceId, instance);
    this.#events.stateChange(instance, 'pending', now);
    return instance;
  }

  terminate(instance: Ec2Instance): void {
    if (!isEnding(instance)) this.#end(instance, this.#now(), endReasons.user);
  }

  /** Two minutes before it is taken back. */
  interrupt(instance: Ec2Instance): void {
    if (instance.lifecycle !== 'spot') throw new Error(`instanceId: ${instance.instanceId} is no spot instance`);
    if (isEnding(instance)) throw new Error(`instanceId: ${instance.instanceId} is ${instance.state} already`);
    instance.interruptedAt = this.#now() + noticeMs;
    this.#events.interruption(instance, this.#now());
  }

  /** Takes every step that is due, in the order of time. */
  advance(): void {
    for (let step = this.#nextStep(); step !== undefined && step.at <= this.#now(); step = this.#nextStep())
      this.#take(step);
  }

  get isDue(): boolean {
    return this.nextAt !== undefined && this.nextAt <= this.#now();
  }

  /** Undefined: nothing will change by itself. */
  get nextAt(): number | undefined {
    return this.#nextStep()?.at;
  }

  #nextStep(): Step | undefined {
    let soonest: Step | undefined;
    for (const instance of this.#all.values()) {
      const step = this.#stepOf(instance);
      if (step.at < (soonest?.at ?? Number.POSITIVE_INFINITY)) soonest = step;
    }
    return soonest;
  }

  #stepOf(instance: Ec2Instance): Step {
    const { state, since, launchedAt, interruptedAt = Number.POSITIVE_INFINITY } = instance;
    const runningAt = launchedAt + this.#delays.running;
    if (state === 'terminated') return { instance, to: 'forgotten', at: since + this.#delays.forgotten };
    if (state === 'shutting-down') return { instance, to: 'terminated', at: since + this.#delays.shuttingDown };
    if (state === 'pending' && runningAt <= interruptedAt) return { instance, to: 'running', at: runningAt };
    return { instance, to: 'shutting-down', at: interruptedAt };
  }

  #take({ instance, to, at }: Step): void {
    if (to === 'forgotten') this.#all.delete(instance.instanceId);
    else if (to === 'shutting-down') this.#end(instance, at, endReasons.spot);
    else this.#enter(instance, to, at);
    if (to === 'running') this.#machines.start(instance, (reason) => this.#fail(instance, reason));
  }

  #end(instance: Ec2Instance, at: number, reason: NonNullable<Ec2Instance['stateReason']>): void {
    instance.stateReason = reason;
    this.#enter(instance, 'shutting-down', at);
    this.#machines.stop(instance.instanceId);
  }

  /** What should run on it did not begin to. */
  #fail(instance: Ec2Instance, reason: string): void {
    if (!isEnding(instance)) this.#end(instance, this.#now(), { code: 'Server.InternalError', message: reason });
  }

  #enter(instance: Ec2Instance, state: InstanceState, at: number): void {
    if (order.indexOf(state) <= order.indexOf(instance.state))
      throw new Error(`${instance.state} cannot become ${state}`);
    instance.state = state;
    instance.since = at;
    this.#events.stateChange(instance, state, at);
  }
}

const isEnding = ({ state }: Ec2Instance): boolean => state === 'shutting-down' || state === 'terminated';
