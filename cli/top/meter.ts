/** Asks hosts what their containers use, and remembers the reading before: a rate takes two. Nothing is asked while nobody looks. */
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { GantryError } from '../../core/errors.ts';
import type { CommandContext } from '../context.ts';
import { keyOf, type Reading, type Use, useOf } from './use.ts';

/** More would be too many to look at, and too many requests for a look. */
export const mostHostsAsked = 100;

export interface Measured {
  readonly containers: readonly Use[];
  /** Hosts of which it is not known, by why. */
  readonly silent: readonly { readonly why: string; readonly hosts: readonly string[] }[];
}

export interface Meter {
  /** Of these hosts; of one task alone where its ARN is given. */
  measure(hosts: readonly ContainerInstanceView[], taskArn: string | undefined): Promise<Measured>;
}

export function createMeter({ client, cluster, signal }: CommandContext): Meter {
  let before: ReadonlyMap<string, Reading> = new Map();
  return {
    async measure(hosts, taskArn) {
      const readings: Reading[] = [];
      const silent = new Map<string, string[]>();
      const unheard = (why: string, host: string): void => void silent.set(why, [...(silent.get(why) ?? []), host]);
      const asked = hosts.filter(({ agentConnected }) => agentConnected).slice(0, mostHostsAsked);
      await Promise.all(
        asked.map(async ({ hostName: host, containerInstanceArn }) => {
          try {
            const wish = { cluster, host: containerInstanceArn };
            const { containers } = await client().call('GetHostStats', wish, signal);
            readings.push(...containers.map((container) => ({ ...container, host })));
          } catch (error) {
            if (!(error instanceof GantryError) || !canPass(error)) throw error;
            unheard(error.message, host);
          }
        }),
      );
      const wanted = readings.filter((reading) => taskArn === undefined || reading.taskArn === taskArn);
      const containers = wanted.map((reading) => useOf(reading, before.get(keyOf(reading))));
      before = new Map(wanted.map((reading) => [keyOf(reading), reading]));
      return { containers, silent: [...silent].map(([why, names]) => ({ why, hosts: names.toSorted() })) };
    },
  };
}

/** What is reserved is worth seeing without it. */
const canPass = ({ code }: GantryError): boolean =>
  ['ServiceUnavailableException', 'UnsupportedFeatureException', 'UnknownOperationException'].includes(code);
