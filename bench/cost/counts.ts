/** What AWS would bill of what happened, as numbers of things: counted on loopback, priced in prices.ts. Pure. */

export type FunctionName = 'api' | 'hosts' | 'wake' | 'events' | 'sweep' | 'fleet' | 'resources';

export interface Counts {
  /** DynamoDB, the history index and the double price of transactions included. */
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Of the HTTP API. */
  readonly httpRequests: number;
  /** Over the WebSocket API, either way. */
  readonly webSocketMessages: number;
  readonly connectionMinutes: number;
  readonly scheduled: number;
  readonly invocations: Readonly<Record<FunctionName, number>>;
  /** Ingested, those of the gateway and of the functions, metrics left out. */
  readonly accessLogBytes: number;
  readonly functionLogBytes: number;
  /** Of metrics in the functions' logs (EMF). */
  readonly metricBytes: number;
  /** Put on the event bus, and the units of DynamoDB for writing them down. */
  readonly events: number;
  readonly eventWriteUnits: number;
}

type Numbers = { readonly [name: string]: number | Numbers };

const combined = (a: Numbers, b: Numbers, combine: (x: number, y: number) => number): Numbers =>
  Object.fromEntries(
    Object.entries(a).map(([name, x]) => {
      const y = b[name];
      if (typeof x === 'number') return [name, combine(x, typeof y === 'number' ? y : 0)];
      return [name, combined(x, typeof y === 'object' ? y : {}, combine)];
    }),
  );

const asNumbers = ({ invocations, ...rest }: Counts): Numbers => ({ ...rest, invocations: { ...invocations } });
// Every member of Counts is a number or a record of numbers, and `combined` keeps the members of its first.
const asCounts = (numbers: Numbers): Counts => numbers as Numbers & Counts;

export const minus = (a: Counts, b: Counts): Counts => asCounts(combined(asNumbers(a), asNumbers(b), (x, y) => x - y));
export const plus = (a: Counts, b: Counts): Counts => asCounts(combined(asNumbers(a), asNumbers(b), (x, y) => x + y));
export const times = (a: Counts, factor: number): Counts => asCounts(combined(asNumbers(a), {}, (x) => x * factor));
