/**
 * The task metadata endpoint of a host's tasks: the socket on the bridge that the firewall leads them to, and who of them may ask. The
 * socket is in the host's network namespace, so that the agent sees the container's own address. What is answered comes from the agent.
 */
import type { Server } from 'node:net';
import type { NetworkConfig } from '../config.ts';
import { overlaps, parseSubnet } from './addresses.ts';
import { listenIn, portOf } from './listener.ts';
import { MetadataIds, metadataUriOf } from './metadata-ids.ts';
import { type AnswerMetadata, MetadataServer } from './metadata-server.ts';
import type { TaskRecord } from './records.ts';

export class MetadataEndpoint {
  readonly #network: NetworkConfig;
  readonly #ids = new MetadataIds();
  readonly #server: MetadataServer;
  #listener: Server | undefined;

  constructor(network: NetworkConfig, now: () => number) {
    this.#network = network;
    const { cidr } = parseSubnet(network.subnet);
    this.#server = new MetadataServer({
      now,
      askerOf: (id, address) => this.#ids.askerOf(id, address, (other) => overlaps(other, cidr)),
    });
  }

  add(record: TaskRecord): void {
    this.#ids.add(record);
  }

  remove(record: TaskRecord): void {
    this.#ids.remove(record);
    this.#server.forget(record.taskId);
  }

  /** What a container is told; undefined while nothing answers there, and where the container has no id. */
  uriOf(record: TaskRecord | undefined, container: string): string | undefined {
    return this.#listener === undefined ? undefined : metadataUriOf(record, container);
  }

  answerWith(answer: AnswerMetadata): void {
    this.#server.answerWith(answer);
  }

  /** Answers where it listens; to be called once the bridge is there, again after a failure. Throws Error. */
  async open(): Promise<{ readonly address: string; readonly port: number }> {
    const address = parseSubnet(this.#network.subnet).gateway;
    if (this.#listener === undefined) {
      this.#listener = await listenIn(this.#network.netns, address);
      this.#server.serve(this.#listener);
    }
    return { address, port: portOf(this.#listener) };
  }

  close(): void {
    this.#listener?.close();
  }
}
