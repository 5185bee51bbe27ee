/**
 * Drives the loops in one process: activations of the same loop and cluster never overlap, those that arrive meanwhile become one more
 * run, and every loop also runs on its timer. Failures are logged and met again by the next activation. Owns no truth.
 */
import type { Activate, ControlDeps } from '../deps.ts';
import { livelyClusterNames } from '../store/clusters.ts';
import type { Loop, LoopName, LoopResult } from './loop.ts';

/** What the last run of a loop (over one cluster, or over the store) did. */
export interface LoopStatus {
  readonly loop: LoopName;
  readonly cluster: string | undefined;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly outcome: { readonly changed: number } | { readonly error: string };
}

export interface LoopRunner {
  readonly activate: Activate;
  start(): void;
  /** Waits until nothing runs and nothing waits to run. For tests and for an orderly end. */
  idle(): Promise<void>;
  /** Lets what runs end; nothing starts any more. */
  stop(): Promise<void>;
  status(): readonly LoopStatus[];
}

interface Work {
  readonly loop: Loop;
  readonly cluster: string | undefined;
  again: boolean;
  running: Promise<void> | undefined;
  /** For the time that the loop itself asked for. */
  alarm: NodeJS.Timeout | undefined;
  status: LoopStatus | undefined;
}

/** `deps` is asked for at each run, because deps and runner name each other. */
export function createLoopRunner(loops: readonly Loop[], deps: () => ControlDeps): LoopRunner {
  const works = new Map<string, Work>();
  const timers = new Set<NodeJS.Timeout>();
  /** Activations over all clusters that are still looking up which there are. */
  const expanding = new Set<Promise<void>>();
  let stopped = false;

  function workOf(loop: Loop, cluster: string | undefined): Work {
    const name = `${loop.name}/${cluster ?? ''}`;
    const known = works.get(name);
    if (known !== undefined) return known;
    const work: Work = { loop, cluster, again: false, running: undefined, alarm: undefined, status: undefined };
    works.set(name, work);
    return work;
  }

  function ask(work: Work): void {
    if (stopped) return;
    work.again = true;
    work.running ??= runWhileAsked(work).finally(() => {
      work.running = undefined;
    });
  }

  async function runWhileAsked(work: Work): Promise<void> {
    // What triggers an activation is often in the middle of its own work: begin in a turn of our own.
    await Promise.resolve();
    while (work.again && !stopped) {
      work.again = false;
      await runOnce(work);
    }
  }

  async function runOnce(work: Work): Promise<void> {
    const { clock, log, metrics } = deps();
    const startedAt = clock.now();
    const { loop, cluster } = work;
    let outcome: LoopStatus['outcome'];
    try {
      const result = await (loop.scope === 'store' ? loop.activate(deps()) : loop.activate(deps(), cluster ?? ''));
      setAlarm(work, result);
      outcome = { changed: result.changed };
    } catch (error) {
      log.error({ err: error, loop: loop.name, cluster }, 'a loop failed; its next activation tries again');
      metrics.count('LoopFailed', 1, { loop: loop.name });
      outcome = { error: error instanceof Error ? error.message : String(error) };
    }
    work.status = { loop: loop.name, cluster, startedAt, durationMs: clock.now() - startedAt, outcome };
  }

  function setAlarm(work: Work, { againAt }: LoopResult): void {
    clearTimeout(work.alarm);
    work.alarm = undefined;
    if (againAt === undefined || stopped) return;
    const delayMs = Math.min(Math.max(againAt - deps().clock.now(), 0), work.loop.periodSeconds(deps()) * 1000);
    work.alarm = setTimeout(() => ask(work), delayMs).unref();
  }

  function activate(loop: Loop, cluster: string | undefined): void {
    if (stopped) return;
    if (loop.scope === 'store' || cluster !== undefined) {
      ask(workOf(loop, loop.scope === 'store' ? undefined : cluster));
      return;
    }
    const expansion = askForEachCluster(loop).finally(() => expanding.delete(expansion));
    expanding.add(expansion);
  }

  async function askForEachCluster(loop: Loop): Promise<void> {
    try {
      const { table, clock } = deps();
      for (const name of await livelyClusterNames(table, clock.now())) ask(workOf(loop, name));
    } catch (error) {
      deps().log.error(
        { err: error, loop: loop.name },
        'the clusters could not be listed; the next activation tries again',
      );
    }
  }

  async function idle(): Promise<void> {
    for (;;) {
      const busy = [...expanding, ...[...works.values()].flatMap((work) => work.running ?? [])];
      if (busy.length === 0) return;
      await Promise.all(busy);
    }
  }

  return {
    activate(name, cluster) {
      const loop = loops.find((candidate) => candidate.name === name);
      if (loop !== undefined) activate(loop, cluster);
    },
    start() {
      for (const loop of loops) {
        activate(loop, undefined);
        timers.add(setInterval(() => activate(loop, undefined), loop.periodSeconds(deps()) * 1000).unref());
      }
    },
    idle,
    async stop() {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
      for (const work of works.values()) clearTimeout(work.alarm);
      await idle();
    },
    status: () => [...works.values()].flatMap((work) => work.status ?? []),
  };
}
