/**
 * Sees a container's process run: as its first act it connects to this listener. The same for every contender, and nothing of theirs
 * (a log file, a shim's event, a poll) stands between the process and the clock. The program is busybox' nc, which does nothing
 * before it connects; it stays until the connection is closed from here, so that a container ends when the measurement is over and
 * no contender's way of stopping takes part.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** A start takes tens or hundreds of milliseconds. */
const connectTimeoutMs = 30_000;

export interface Caller {
  /** When it connected (performance.now). */
  readonly at: number;
  /** Lets the container end. */
  dismiss(): void;
}

export class Listener implements AsyncDisposable {
  readonly #server: Server;
  readonly #command: readonly string[];
  #expected: PromiseWithResolvers<Caller> | undefined;
  readonly #sockets = new Set<Socket>();
  #unexpected = 0;

  private constructor(server: Server, command: readonly string[]) {
    this.#server = server;
    this.#command = command;
    server.on('connection', (socket) => this.#connected(socket, performance.now()));
  }

  /** @param address of this machine, as containers see it */
  static async open(address: string): Promise<Listener> {
    // Half open: nc says at once that it has nothing to send, and is not to end for that.
    const server = createServer({ allowHalfOpen: true }).listen(0, address);
    await once(server, 'listening');
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('a TCP server has a port');
    return new Listener(server, ['/bin/nc', bound.address, `${bound.port}`]);
  }

  /** What the container is to run. */
  get command(): readonly string[] {
    return this.#command;
  }

  /** The next container that connects. Throws an Error when none does, or when one did that nobody expected. */
  async next(): Promise<Caller> {
    if (this.#unexpected > 0) throw new Error(`${this.#unexpected} containers connected that were not started`);
    const expected = Promise.withResolvers<Caller>();
    this.#expected = expected;
    const timer = setTimeout(
      () => expected.reject(new Error(`the container did not connect within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    return await expected.promise.finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#expected?.reject(new Error('the listener was closed'));
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy(); // Their containers end by it, if they are still there.
    await once(this.#server, 'close');
  }

  #connected(socket: Socket, at: number): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.resume();
    socket.on('error', () => socket.destroy()); // The container was killed; whoever removed it says so.
    if (this.#expected === undefined) {
      this.#unexpected += 1;
      socket.destroy();
      return;
    }
    this.#expected.resolve({ at, dismiss: () => socket.end() });
    this.#expected = undefined;
  }
}
