/** What a task's life and an idle month may take at most. Counts, never times: they are the same on every machine. */
import type { Counts } from './counts.ts';

/** Of one life, called over REST without a client token, whatever the size of the cluster. */
export const lifeGates = {
  writeUnits: 20,
  readUnits: 20,
  httpRequests: 4,
  webSocketMessages: 1,
  invocations: { api: 1, hosts: 3, wake: 1 },
  accessLogBytes: 4 * 320,
  functionLogBytes: 0,
} as const;

/** What a call that can be repeated takes more. */
export const tokenGates = { writeUnits: 2, readUnits: 1 } as const;

export const heartbeatGates = { writeUnits: 1, readUnits: 0.5, httpRequests: 1 } as const;

/** Of an idle cluster with three hosts, in a minute in which no loop is due that runs each ten minutes. */
export const sweepGates = { writeUnits: 0, readUnits: 7 } as const;

/** To reach, in USD at list prices: a million lives, and a month with three idle hosts. */
export const targets = { millionTasks: 22, idleMonth: 0.4 } as const;

/** Where a life takes more than it may, as sentences. */
export function lifeExcess(counts: Counts, allowed = lifeGates): string[] {
  const { invocations, ...others } = allowed;
  const check = (what: string, is: number, most: number): string[] =>
    is <= most ? [] : [`${what}: ${is}, at most ${most}`];
  return [
    ...(Object.keys(others) as (keyof typeof others)[]).flatMap((name) => check(name, counts[name], allowed[name])),
    ...(Object.keys(invocations) as (keyof typeof invocations)[]).flatMap((name) =>
      check(`invocations of ${name}`, counts.invocations[name], invocations[name]),
    ),
  ];
}
