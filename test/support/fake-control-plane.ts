/**
 * The control plane as an agent meets it, scripted: real HTTP, real WebSockets and real signatures on loopback, desired states set by
 * the test, observations kept for it. Answers can be lost or refused. It places nothing and stores nothing.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Ec2Notice, ec2NoticeSchema } from '../../core/ec2-notice.ts';
import {
  type ControlFrame,
  type DesiredSet,
  type DesiredTask,
  type HandoverRequest,
  handoverRequestSchema,
  hostPaths,
  type RegisterRequest,
  type ReportRequest,
  type ReportResponse,
  registerRequestSchema,
  reportRequestSchema,
} from '../../core/host-protocol.ts';
import { contentDigest, parseSignature, signatureBase } from '../../core/host-signature.ts';
import type { TaskObservation } from '../../core/model/task.ts';
import type { TaskSpec } from '../../core/model/task-spec.ts';
import { wakeFrame } from '../../core/wake-frame.ts';

export type HostRequest = 'register' | 'desired' | 'report' | 'heartbeat' | 'notice' | 'handover';
/**
 * `lost`: done, but the connection breaks before the answer; a number: refused with that status, nothing done; `after`: done at once,
 * answered with what was true then, but only later.
 */
export type Fate = 'answered' | 'lost' | number | { readonly after: Promise<void> };

const hostId = 'h'.repeat(32);

export class FakeControlPlane implements AsyncDisposable {
  storeEpoch = 'store-1';
  /** Of an agent that does not know this store; it is told to wait. */
  readonly handovers: HandoverRequest[] = [];
  hostEpoch = 1;
  heartbeatSeconds = 60;
  /** False: as an older control plane, which answers a heartbeat with 204. */
  saysEtag = true;
  /** What registration says of sockets: paths on this server, beside those that are always there. */
  socketPaths: { wake: string; channel?: string } | undefined;
  /** Texts that came over the wake-up socket. */
  readonly wakeFrames: string[] = [];
  losesWakes = false;
  /** A status with which every dial is answered. */
  refusesSockets: number | undefined;
  refusals = 0;
  /** How often each socket was opened. */
  readonly dials = { wake: 0, channel: 0 };
  /** Decides what becomes of each request. */
  fate: (request: HostRequest) => Fate = () => 'answered';
  readonly desired = new Map<string, DesiredTask>();
  /** The newest observation of each task, also of forgotten ones. */
  readonly observed = new Map<string, TaskObservation>();
  readonly registrations: RegisterRequest[] = [];
  readonly reports: ReportRequest[] = [];
  readonly requests: HostRequest[] = [];
  readonly notices: Ec2Notice[] = [];
  /** Texts that came over the channel. */
  readonly channelFrames: string[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #connections = { wake: new Set<WebSocket>(), channel: new Set<WebSocket>() };
  readonly #waiters = new Set<() => void>();
  #generation = 1;
  #publicKey = '';

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<FakeControlPlane> {
    const server = createServer();
    const controlPlane = new FakeControlPlane(server);
    server.on('request', (request, response) => void controlPlane.#serve(request, response));
    server.on('upgrade', (request, socket, head) => controlPlane.#upgrade(request, socket, head));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return controlPlane;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  run(spec: TaskSpec): void {
    this.desired.set(spec.taskId, { taskId: spec.taskId, spec, desired: { status: 'RUNNING', version: 1, at: 1 } });
    this.wake();
  }

  stop(taskId: string, { reason = 'Task stopped by user', force = false } = {}): void {
    const task = this.desired.get(taskId);
    if (task === undefined) throw new Error(`task ${taskId} is not desired`);
    const version = task.desired.version + 1;
    const desired = { status: 'STOPPED', version, at: 2, stopCode: 'UserInitiated', reason, force } as const;
    this.desired.set(taskId, { ...task, desired });
    this.wake();
  }

  /** A new generation, and a wake-up to every socket, unless it is lost. */
  wake(): void {
    this.#generation += 1;
    if (this.losesWakes) return;
    for (const socket of this.#connections.wake) socket.send(wakeFrame);
  }

  /** Sends a frame to the agent over its channel. */
  async send(frame: ControlFrame): Promise<void> {
    await this.until(() => this.#connections.channel.size > 0);
    for (const socket of this.#connections.channel) socket.send(JSON.stringify(frame));
  }

  /** Resolves once the condition holds; looked at after each request and each frame. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
    });
  }

  async untilStatus(taskId: string, status: TaskObservation['status']): Promise<TaskObservation> {
    await this.until(() => this.observed.get(taskId)?.status === status);
    const observation = this.observed.get(taskId);
    if (observation === undefined) throw new Error('unreachable: the condition held');
    return observation;
  }

  /** Breaks every WebSocket, as a restart does. */
  dropSockets(): void {
    for (const socket of [...this.#connections.wake, ...this.#connections.channel]) socket.terminate();
  }

  get openSockets(): number {
    return this.#connections.wake.size + this.#connections.channel.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dropSockets();
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #happened(): void {
    for (const check of this.#waiters) check();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const kind = kindOf(request.url ?? '');
    if (kind === undefined) return void response.writeHead(404).end();
    this.requests.push(kind);
    this.#happened();
    const fate = this.fate(kind);
    if (typeof fate === 'number') response.writeHead(fate).end('refused by the test');
    else {
      if (kind === 'register') this.#publicKey = registerRequestSchema.parse(JSON.parse(body)).publicKey;
      const isSigned = this.#isSigned(request, body, kind === 'register' ? this.#publicKey : hostId);
      const answer = isSigned ? this.#answer(kind, body, request.headers['if-none-match']) : { status: 401, body: '' };
      if (typeof fate === 'object') await fate.after;
      if (fate === 'lost') request.socket.destroy();
      else response.writeHead(answer.status, answer.headers ?? {}).end(answer.body);
    }
    this.#happened();
  }

  #answer(
    kind: HostRequest,
    body: string,
    etag: string | undefined,
  ): { status: number; body: string; headers?: Record<string, string> } {
    const answer = (content: object) => ({ status: 200, body: JSON.stringify(content) });
    switch (kind) {
      case 'register':
        this.registrations.push(registerRequestSchema.parse(JSON.parse(body)));
        return answer({
          hostId,
          cluster: 'default',
          storeEpoch: this.storeEpoch,
          heartbeatSeconds: this.heartbeatSeconds,
          ...(this.socketPaths && { sockets: this.#socketUrls(this.socketPaths) }),
        });
      case 'desired': {
        const current = this.#etag;
        if (etag === current) return { status: 304, body: '' };
        const { storeEpoch, hostEpoch } = this;
        const set: DesiredSet = {
          storeEpoch,
          hostEpoch,
          generation: this.#generation,
          tasks: [...this.desired.values()],
        };
        return { ...answer(set), headers: { etag: current } };
      }
      case 'report':
        return answer(this.#absorb(reportRequestSchema.parse(JSON.parse(body))));
      case 'handover':
        this.handovers.push(handoverRequestSchema.parse(JSON.parse(body)));
        return answer({ unknown: [] });
      case 'notice':
        this.notices.push(ec2NoticeSchema.parse(JSON.parse(body)));
        return { status: 204, body: '' };
      case 'heartbeat':
        return this.saysEtag ? answer({ etag: this.#etag }) : { status: 204, body: '' };
    }
  }

  get #etag(): string {
    return `"${this.storeEpoch}-${this.hostEpoch}-${this.#generation}"`;
  }

  #socketUrls({ wake, channel }: { wake: string; channel?: string }): object {
    const base = this.url.replace('http:', 'ws:');
    return { wake: base + wake, ...(channel !== undefined && { channel: base + channel }) };
  }

  #absorb(report: ReportRequest): ReportResponse {
    this.reports.push(report);
    const forget: string[] = [];
    for (const { taskId, observation } of report.tasks) {
      const before = this.observed.get(taskId);
      if (before !== undefined && observation.sequence < before.sequence) continue; // Late.
      if (before?.sequence === observation.sequence && JSON.stringify(before) !== JSON.stringify(observation)) {
        throw new Error(`task ${taskId}: two observations have the sequence ${observation.sequence}`);
      }
      this.observed.set(taskId, observation);
      if (observation.status === 'STOPPED' || !this.desired.has(taskId)) forget.push(taskId);
      if (observation.status === 'STOPPED') this.desired.delete(taskId);
    }
    const accepted = report.tasks.map(({ taskId, observation }) => ({ taskId, sequence: observation.sequence }));
    return { accepted, forget };
  }

  #isSigned(request: IncomingMessage, body: string, keyId: string): boolean {
    const header = (name: string) => String(request.headers[name] ?? '');
    const signature = parseSignature(header('signature-input'), header('signature'));
    const digest = contentDigest(createHash('sha256').update(body).digest('base64'));
    if (signature?.keyId !== keyId || header('content-digest') !== digest) return false;
    const key = createPublicKey({ key: Buffer.from(this.#publicKey, 'base64'), format: 'der', type: 'spki' });
    const covered = { method: request.method ?? '', path: request.url ?? '', contentDigest: digest };
    return verify(
      null,
      Buffer.from(signatureBase(covered, signature)),
      key,
      Buffer.from(signature.signature, 'base64'),
    );
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const paths = this.socketPaths ?? { wake: hostPaths.wake(hostId), channel: hostPaths.channel(hostId) };
    const kind = request.url === paths.wake ? 'wake' : request.url === paths.channel ? 'channel' : undefined;
    if (this.refusesSockets !== undefined) {
      socket.end(`HTTP/1.1 ${this.refusesSockets} Refused\r\n\r\n`);
      this.refusals += 1;
      this.#happened();
      return;
    }
    if (kind === undefined || !this.#isSigned(request, '', hostId)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      this.#connections[kind].add(opened);
      this.dials[kind] += 1;
      opened.on('close', () => this.#connections[kind].delete(opened));
      opened.on('message', (data: Buffer) => {
        (kind === 'channel' ? this.channelFrames : this.wakeFrames).push(data.toString());
        this.#happened();
      });
      this.#happened();
    });
  }
}

function kindOf(path: string): HostRequest | undefined {
  if (path === hostPaths.register) return 'register';
  if (path === hostPaths.desired(hostId)) return 'desired';
  if (path === hostPaths.report(hostId)) return 'report';
  if (path === hostPaths.notice(hostId)) return 'notice';
  if (path === hostPaths.handover(hostId)) return 'handover';
  return path === hostPaths.heartbeat(hostId) ? 'heartbeat' : undefined;
}
