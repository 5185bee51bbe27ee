/**
 * The HTTP side of the task metadata endpoint, version 4: who may ask, how often, and what for. What is answered is the agent's
 * (agent/metadata), and so is the JSON of ECS; here it is only sent.
 */
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { MetadataAsker } from './metadata-ids.ts';

/** By what follows the container's address. */
const resources = {
  '': 'container',
  '/task': 'task',
  '/taskWithTags': 'task',
  '/stats': 'containerStats',
  '/task/stats': 'taskStats',
} as const satisfies Record<string, string>;
export type MetadataResource = (typeof resources)[keyof typeof resources];

/** Answers what is sent as JSON; undefined where there is nothing to tell. */
export type AnswerMetadata = (asker: MetadataAsker, resource: MetadataResource) => Promise<unknown>;

/** ECS' own limit of what a task may ask. */
const requestsPerSecond = 40;
const requestsAtOnce = 60;
const maxConnections = 512;

export interface MetadataServerOptions {
  askerOf(id: string, address: string): MetadataAsker | undefined;
  /** Epoch milliseconds. */
  now(): number;
}

export class MetadataServer {
  readonly #options: MetadataServerOptions;
  readonly #http: HttpServer;
  readonly #allowances = new Map<string, { left: number; at: number }>();
  #answer: AnswerMetadata | undefined;

  constructor(options: MetadataServerOptions) {
    this.#options = options;
    this.#http = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
      void this.#respond(request, response);
    });
  }

  /** Who knows the answers. Until then nothing is answered but that it is not ready. */
  answerWith(answer: AnswerMetadata): void {
    this.#answer = answer;
  }

  /** Takes over a socket that listens. */
  serve(listener: Server): void {
    listener.maxConnections = maxConnections;
    listener.on('connection', (socket) => this.#http.emit('connection', socket));
    listener.unref(); // No reason for the process to stay.
  }

  forget(taskId: string): void {
    this.#allowances.delete(taskId);
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown) => {
      const text = JSON.stringify(body ?? null);
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    const [, id = '', path = ''] = /^\/v4\/([^/?]+)([^?]*?)\/?(?:\?.*)?$/.exec(request.url ?? '') ?? [];
    const asker = this.#options.askerOf(id, request.socket.remoteAddress ?? '');
    const resource = isResource(path) ? resources[path] : undefined;
    if (asker === undefined)
      return send(404, `V4 metadata handler: no container of the asking task has the endpoint ID "${id}"`);
    if (resource === undefined) return send(404, `V4 metadata handler: there is nothing at ${path}`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'only GET is answered');
    if (!this.#isAllowed(asker.taskId))
      return send(429, `more than ${requestsPerSecond} requests a second by this task`);
    try {
      if (this.#answer === undefined) return send(503, 'the agent is starting');
      send(200, await this.#answer(asker, resource));
    } catch {
      send(500, 'failed to get metadata'); // As ECS; the agent's log has the reason.
    }
  }

  #isAllowed(taskId: string): boolean {
    const now = this.#options.now();
    const before = this.#allowances.get(taskId) ?? { left: requestsAtOnce, at: now };
    const left = Math.min(requestsAtOnce, before.left + ((now - before.at) / 1000) * requestsPerSecond);
    this.#allowances.set(taskId, { left: Math.max(0, left - 1), at: now });
    return left >= 1;
  }
}

const isResource = (path: string): path is keyof typeof resources => path in resources;
