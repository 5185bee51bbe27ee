/** EventBridge's PutEvents: keeps what was put, in order, for tests to read. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ServiceOperation } from './aws-services.ts';

const entrySchema = z.object({
  EventBusName: z.string().optional(),
  Source: z.string(),
  DetailType: z.string(),
  Detail: z.string(),
  Resources: z.array(z.string()).optional(),
  Time: z.unknown().optional(),
});

export interface PutEvent {
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Record<string, unknown>;
  readonly resources: readonly string[];
}

/** Limits of one call. */
const most = { entries: 10, bytes: 256 * 1024 };

export class EventBuses {
  readonly events: PutEvent[] = [];
  /** True: the next entries are refused one by one, as under throttling. */
  refuses = false;
  readonly #busArn: (name: string) => string;

  constructor(busArn: (name: string) => string) {
    this.#busArn = busArn;
  }

  readonly putEvents: ServiceOperation = {
    call: (input) => {
      const [entry] = entriesOf(input);
      return { action: 'events:PutEvents', resource: this.#busArn(entry?.EventBusName ?? 'default') };
    },
    run: (input) => {
      const entries = entriesOf(input);
      if (entries.length > most.entries || JSON.stringify(entries).length > most.bytes)
        throw new Error(`PutEvents takes ${most.entries} entries and ${most.bytes} bytes`);
      const refused = this.refuses;
      if (!refused) this.events.push(...entries.map(eventOf));
      const Entries = entries.map(() =>
        refused ? { ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' } : { EventId: randomUUID() },
      );
      return { FailedEntryCount: refused ? entries.length : 0, Entries };
    },
  };
}

const entriesOf = (input: Record<string, unknown>) => z.array(entrySchema).min(1).parse(input.Entries);

const eventOf = ({ EventBusName, Source, DetailType, Detail, Resources }: z.infer<typeof entrySchema>): PutEvent => ({
  bus: busName(EventBusName ?? 'default'),
  source: Source,
  detailType: DetailType,
  detail: JSON.parse(Detail),
  resources: Resources ?? [],
});

const busName = (nameOrArn: string): string => nameOrArn.split('/').at(-1) ?? nameOrArn;
