/**
 * What was launched of this machine's fleet, as files: one an order, which is the whole answer to it in one durable step, so that an
 * order is answered the same whenever it is asked again. Written by one process at a time, read by any; what a record says is made so
 * by keeper.ts.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makePrivateDirectory, syncDirectory, writeDurably } from '../../agent/durable-file.ts';
import type { Order } from '../../core/model/capacity.ts';

const launchedHostSchema = z.object({
  /** Also the host's name; no other host ever has it. */
  instanceId: z.string(),
  /** From 1: the addresses, namespaces and groups that it has on this machine until it is ended. */
  slot: z.number().int().positive(),
  zone: z.string(),
  /** As they were when it was launched: the fleet may have other slices by now. */
  cpuUnits: z.number().int(),
  memoryMib: z.number().int(),
  launchedAt: z.number(),
  /** `pending` until its agent was started once; `ended` when nothing of it is left. */
  state: z.enum(['pending', 'running', 'ending', 'ended']),
  endedAt: z.number().optional(),
});
export type LaunchedHost = z.infer<typeof launchedHostSchema>;

const orderRecordSchema = z.object({
  orderId: z.string(),
  cluster: z.string(),
  provider: z.string(),
  offer: z.string(),
  answeredAt: z.number(),
  hosts: z.array(launchedHostSchema),
  /** Why there are not as many as were ordered. */
  limit: z.string().optional(),
});
export type OrderRecord = z.infer<typeof orderRecordSchema>;

/** Of a host that is not ended, with whose it is. */
export interface LiveHost extends LaunchedHost {
  readonly orderId: string;
  readonly cluster: string;
  readonly provider: string;
  readonly offer: string;
}

/** An order may be asked again for ten minutes at least. */
const rememberedMs = 3600_000;

export class FleetRecords {
  readonly #directory: string;
  readonly #orders: Map<string, OrderRecord>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: string) {
    makePrivateDirectory(directory);
    this.#directory = directory;
    this.#orders = new Map(readOrders(directory).map((order) => [order.orderId, order]));
  }

  order(orderId: string): OrderRecord | undefined {
    return this.#orders.get(orderId);
  }

  live(): LiveHost[] {
    return liveHosts([...this.#orders.values()]);
  }

  /** What it reads and writes nobody else changes meanwhile. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {}); // Its caller has the failure; the next one is not kept from its turn.
    return done;
  }

  /** Durable when it resolves; only inside `exclusively`. */
  async write(record: OrderRecord): Promise<void> {
    await writeDurably(this.#file(record.orderId), JSON.stringify(record));
    this.#orders.set(record.orderId, record);
  }

  /** Durable when it resolves. Fine where there is no such host, or none that is not ended. */
  async change(instanceId: string, changeOf: (host: LaunchedHost) => Partial<LaunchedHost>): Promise<void> {
    await this.exclusively(async () => {
      const order = this.#orders.get(this.live().find((host) => host.instanceId === instanceId)?.orderId ?? '');
      if (order === undefined) return;
      const hosts = order.hosts.map((host) => (host.instanceId === instanceId ? { ...host, ...changeOf(host) } : host));
      await this.write({ ...order, hosts });
    });
  }

  /** Nothing is left of the host. */
  async end(instanceId: string): Promise<void> {
    await this.change(instanceId, () => ({ state: 'ended', endedAt: Date.now() }));
  }

  /** Lets go of orders that are over, and that nobody asks for again. Only inside `exclusively`. */
  async forget(now: number): Promise<void> {
    const over = [...this.#orders.values()].filter(
      ({ answeredAt, hosts }) =>
        hosts.every(({ state, endedAt = 0 }) => state === 'ended' && now - endedAt > rememberedMs) &&
        now - answeredAt > rememberedMs,
    );
    for (const { orderId } of over) {
      await rm(this.#file(orderId), { force: true });
      this.#orders.delete(orderId);
    }
    if (over.length > 0) await syncDirectory(this.#directory);
  }

  #file(orderId: string): string {
    return join(this.#directory, `${createHash('sha256').update(orderId).digest('hex').slice(0, 32)}.json`);
  }
}

/** For whoever does not write: the hosts that are not ended. */
export const readLiveHosts = (directory: string): LiveHost[] => liveHosts(readOrders(directory));

const liveHosts = (orders: readonly OrderRecord[]): LiveHost[] =>
  orders.flatMap(({ orderId, cluster, provider, offer, hosts }) =>
    hosts.filter(({ state }) => state !== 'ended').map((host) => ({ ...host, orderId, cluster, provider, offer })),
  );

function readOrders(directory: string): OrderRecord[] {
  return filesIn(directory)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readOrder(join(directory, name)) ?? []);
}

function readOrder(file: string): OrderRecord | undefined {
  const content = contentOf(file);
  if (content === undefined) return undefined;
  try {
    return orderRecordSchema.parse(JSON.parse(content));
  } catch (error) {
    // Whole or absent, so another version wrote it. Passed over, its hosts would be nobody's.
    throw new Error(
      `${file} is no record of a launch that this version can read. \`gantry down --purge\` begins anew.`,
      {
        cause: error,
      },
    );
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (existsSync(file)) throw error;
    return undefined; // Forgotten meanwhile.
  }
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // Nothing was ever launched here.
  }
}

/** The same for the same order, and of no other. */
export const instanceIdOf = ({ id }: Pick<Order, 'id'>, index: number): string =>
  `local-${createHash('sha256').update(`${id}/${index}`).digest('hex').slice(0, 12)}`;
