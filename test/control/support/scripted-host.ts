/**
 * An agent that a test moves by hand, over the real host routes with real signatures. It keeps the protocol's rules (greater version
 * wins, entries are forgotten only when told to, one sequence a change) and runs nothing.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Control } from '../../../control/create.ts';
import {
  type DesiredSet,
  desiredSetSchema,
  heartbeatResponseSchema,
  hostPaths,
  type RegisterRequest,
  type RegisterResponse,
  type ReportRequest,
  type ReportResponse,
  registerResponseSchema,
  reportResponseSchema,
} from '../../../core/host-protocol.ts';
import { contentDigest, signatureBase, signatureHeaders } from '../../../core/host-signature.ts';
import type { TaskObservation } from '../../../core/model/task.ts';
import type { TaskSpec } from '../../../core/model/task-spec.ts';

export interface HostOptions {
  readonly name?: string;
  readonly cluster?: string;
  readonly cpuUnits?: number;
  readonly memoryMib?: number;
  readonly reservedPorts?: RegisterRequest['reservedPorts'];
  readonly attributes?: Record<string, string>;
}

interface Entry {
  readonly spec: TaskSpec;
  desiredVersion: number;
  toStop: boolean;
  observation: TaskObservation;
  acknowledged: number;
}

/** A control plane in this process, or whatever stands for the way to one. */
interface ControlAtHand {
  readonly hostsApp: { request(path: string, init: RequestInit): Response | Promise<Response> };
  readonly deps: Pick<Control['deps'], 'clock'>;
}

export class ProtocolError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, body: { code: string; message: string; hint?: string }) {
    super(`${body.message}${body.hint === undefined ? '' : ` ${body.hint}`}`);
    this.status = status;
    this.code = body.code;
  }
}

export class ScriptedHost {
  /** Another one once that is where the control plane's address leads. */
  control: ControlAtHand;
  readonly name: string;
  readonly publicKey: string;
  readonly #privateKey: KeyObject;
  readonly #options: HostOptions;
  readonly tasks = new Map<string, Entry>();
  /** Every task that it started, as often as it did. */
  readonly started: string[] = [];
  hostId = '';
  storeEpoch = '';
  hostEpoch = 0;
  etag: string | undefined;

  constructor(control: ControlAtHand, options: HostOptions = {}) {
    const pair = generateKeyPairSync('ed25519');
    this.control = control;
    this.#options = options;
    this.name = options.name ?? 'host-1';
    this.publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    this.#privateKey = pair.privateKey;
  }

  /** Registers, fetches and reports everything: after that it may be given tasks. */
  async join(token: string): Promise<this> {
    await this.register(token);
    await this.fetch();
    await this.report({ full: true });
    return this;
  }

  async register(token: string | undefined, changes: Partial<RegisterRequest> = {}): Promise<RegisterResponse> {
    const {
      cluster = 'default',
      cpuUnits = 2048,
      memoryMib = 2048,
      reservedPorts = [],
      attributes = {},
    } = this.#options;
    const body: RegisterRequest = {
      protocolVersion: 1,
      ...(token === undefined ? {} : { token }),
      cluster,
      name: this.name,
      publicKey: this.publicKey,
      address: '127.0.0.1',
      agentVersion: '0.1.0',
      cpuUnits,
      memoryMib,
      reservedPorts,
      attributes: { 'ecs.os-type': 'linux', ...attributes },
      ...changes,
    };
    const answer = registerResponseSchema.parse(await this.request('POST', hostPaths.register, body, this.publicKey));
    this.hostId = answer.hostId;
    this.storeEpoch = answer.storeEpoch;
    return answer;
  }

  /** Applies the desired set; undefined where nothing changed. */
  async fetch(): Promise<DesiredSet | undefined> {
    const headers = this.etag === undefined ? {} : { 'if-none-match': this.etag };
    const response = await this.send('GET', hostPaths.desired(this.hostId), undefined, this.hostId, headers);
    if (response.status === 304) return undefined;
    const set = desiredSetSchema.parse(await answerOf(response));
    this.etag = response.headers.get('etag') ?? undefined;
    this.hostEpoch = set.hostEpoch;
    for (const { taskId, desired, spec } of set.tasks) {
      const known = this.tasks.get(taskId);
      if (known === undefined) {
        const observation = newObservation(this.control.deps.clock.now(), spec);
        this.tasks.set(taskId, {
          spec,
          desiredVersion: desired.version,
          toStop: desired.status === 'STOPPED',
          observation,
          acknowledged: 0,
        });
      } else if (desired.version > known.desiredVersion) {
        known.desiredVersion = desired.version;
        known.toStop = desired.status === 'STOPPED';
      }
    }
    return set;
  }

  /** What is not acknowledged, or everything with `full`. Answers what the control plane said. */
  async report({ full = false } = {}): Promise<ReportResponse> {
    const tasks = [...this.tasks]
      .filter(([, entry]) => full || entry.observation.sequence > entry.acknowledged)
      .map(([taskId, { desiredVersion, observation }]) => ({ taskId, desiredVersion, observation }));
    return this.reportExactly({ storeEpoch: this.storeEpoch, hostEpoch: this.hostEpoch, full, tasks });
  }

  async reportExactly(report: ReportRequest): Promise<ReportResponse> {
    const answer = reportResponseSchema.parse(await this.request('POST', hostPaths.report(this.hostId), report));
    for (const { taskId, sequence } of answer.accepted) {
      const entry = this.tasks.get(taskId);
      if (entry !== undefined) entry.acknowledged = Math.max(entry.acknowledged, sequence);
    }
    for (const taskId of answer.forget) this.tasks.delete(taskId);
    return answer;
  }

  /** Something is not acknowledged. */
  get hasNews(): boolean {
    return [...this.tasks.values()].some(({ observation, acknowledged }) => observation.sequence > acknowledged);
  }

  /** Answers the ETag of what is desired of it. */
  async heartbeat(): Promise<string> {
    return heartbeatResponseSchema.parse(await this.request('POST', hostPaths.heartbeat(this.hostId))).etag;
  }

  /** The task runs; not reported yet. */
  start(taskId: string): void {
    const now = this.control.deps.clock.now();
    this.started.push(taskId);
    this.#observe(taskId, (seen) => ({
      status: 'RUNNING',
      pullStartedAt: seen.pullStartedAt ?? now,
      pullStoppedAt: seen.pullStoppedAt ?? now,
      startedAt: now,
      containers: seen.containers.map((container) => ({ ...container, status: 'RUNNING', startedAt: now })),
    }));
  }

  /** The task is gone with this exit code; not reported yet. */
  end(taskId: string, exitCode = 0): void {
    const now = this.control.deps.clock.now();
    const asked = this.#entry(taskId).toStop;
    this.#observe(taskId, (seen) => ({
      status: 'STOPPED',
      stoppingAt: now,
      executionStoppedAt: now,
      stoppedAt: now,
      ...(asked ? {} : { stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' }),
      containers: seen.containers.map((container) => ({ ...container, status: 'STOPPED', exitCode, stoppedAt: now })),
    }));
  }

  /** Everything that the desired set asks for, at once: new tasks run, those to stop are gone; fetched before and reported after. */
  async obey(): Promise<void> {
    await this.fetch();
    for (const [taskId, entry] of this.tasks) {
      if (entry.toStop && entry.observation.status !== 'STOPPED') this.end(taskId, 143);
      else if (entry.observation.status === 'PENDING') this.start(taskId);
    }
    await this.report();
  }

  #entry(taskId: string): Entry {
    const entry = this.tasks.get(taskId);
    if (entry === undefined) throw new Error(`${this.name} does not know the task ${taskId}`);
    return entry;
  }

  #observe(taskId: string, change: (seen: TaskObservation) => Partial<TaskObservation>): void {
    const entry = this.#entry(taskId);
    const { observation } = entry;
    entry.observation = { ...observation, ...change(observation), sequence: observation.sequence + 1 };
  }

  async request(method: 'GET' | 'POST', path: string, body?: unknown, keyId = this.hostId): Promise<unknown> {
    return answerOf(await this.send(method, path, body, keyId));
  }

  async send(
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    keyId: string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const text = body === undefined ? '' : JSON.stringify(body);
    return this.control.hostsApp.request(path, {
      method,
      headers: { ...headers, ...this.signed(method, path, text, keyId) },
      ...(body === undefined ? {} : { body: text }),
    });
  }

  signed(method: string, path: string, body: string, keyId = this.hostId): Record<string, string> {
    const digest = contentDigest(createHash('sha256').update(body).digest('base64'));
    const covered = { method, path, contentDigest: digest };
    const input = { createdSeconds: Math.floor(this.control.deps.clock.now() / 1000), keyId };
    const signature = sign(null, Buffer.from(signatureBase(covered, input)), this.#privateKey).toString('base64');
    return { ...signatureHeaders(covered, input, signature) };
  }
}

async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.ok) return text === '' ? undefined : JSON.parse(text);
  throw new ProtocolError(response.status, JSON.parse(text));
}

const newObservation = (acceptedAt: number, spec: TaskSpec): TaskObservation => ({
  status: 'PENDING',
  sequence: 1,
  acceptedAt,
  containers: spec.containers.map(({ name }) => ({ name, status: 'PENDING', networkBindings: [] })),
});
