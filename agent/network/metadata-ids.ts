/**
 * Who asks the task metadata endpoint: the ids in containers' addresses of it, which nobody can guess, and whether the asker's own address
 * is one of that task. Kept in the network's records, so that an address goes on to work when the agent was replaced.
 */
import { randomBytes } from 'node:crypto';
import type { TaskRecord } from './records.ts';

/** ECS' address for what its agent tells tasks. */
export const metadataAddress = '169.254.170.2';

export interface MetadataAsker {
  readonly taskId: string;
  readonly container: string;
  /** Of the task's containers that have one of their own, by name. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** As long as the one that ECS makes. */
export const newMetadataId = (): string => randomBytes(16).toString('hex');

export class MetadataIds {
  readonly #holders = new Map<string, { readonly record: TaskRecord; readonly container: string }>();

  add(record: TaskRecord): void {
    for (const { name, metadataId } of record.containers)
      if (metadataId !== undefined) this.#holders.set(metadataId, { record, container: name });
  }

  remove(record: TaskRecord): void {
    for (const { metadataId } of record.containers) if (metadataId !== undefined) this.#holders.delete(metadataId);
  }

  /**
   * undefined where nobody has the id, or another task asks by it.
   * @param isTask whether an address is one that tasks have: a container in host mode has none
   */
  askerOf(id: string, address: string, isTask: (address: string) => boolean): MetadataAsker | undefined {
    const holder = this.#holders.get(id);
    if (holder === undefined) return undefined;
    const { record, container } = holder;
    const addresses = Object.fromEntries(
      record.containers.flatMap(({ name, address: own }) => (own === undefined ? [] : [[name, own]])),
    );
    const own = Object.values(addresses);
    const isItsOwn = own.length > 0 ? own.includes(address) : !isTask(address);
    return isItsOwn ? { taskId: record.taskId, container, addresses } : undefined;
  }
}

export function metadataUriOf(record: TaskRecord | undefined, container: string): string | undefined {
  const id = record?.containers.find(({ name }) => name === container)?.metadataId;
  return id === undefined ? undefined : `http://${metadataAddress}/v4/${id}`;
}
