/** `gantry top`: a cluster at a glance, redrawn in place while it changes. */
import { setTimeout as delay } from 'node:timers/promises';
import { errorTraits, GantryError } from '../../core/errors.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { findTask } from '../find-task.ts';
import { createMeter, mostHostsAsked } from '../top/meter.ts';
import { pageOf } from '../top/page.ts';
import { type Look, type Snapshot, takeSnapshot } from '../top/snapshot.ts';
import { sortKeys } from '../top/use.ts';

const usualSeconds = 2;
/** Between the two readings that a single snapshot takes, where something runs. */
const betweenReadingsMs = 1000;

export const topCommand = defineCommand({
  name: 'top',
  summary: 'Watch a cluster: hosts and how full they are, what tasks use, what waits and why, what is on order',
  details: [
    'On a terminal it redraws itself until Ctrl-C and fits whatever size the terminal has. Elsewhere it prints one snapshot and ends; with ' +
      '--json one object a refresh, until Ctrl-C or with --once a single one.',
    'CPU is of one processor (200 % are two), memory without files that can be dropped at once. Hosts are asked while it looks and not ' +
      `otherwise, ${mostHostsAsked} at most; behind API Gateway they cannot be asked, and there is what is reserved.`,
  ],
  arguments: [],
  options: {
    interval: {
      type: 'integer',
      value: 'SECONDS',
      min: 1,
      max: 3600,
      summary: `How often to look (default: ${usualSeconds})`,
    },
    once: { type: 'boolean', summary: 'Print one snapshot and end' },
    host: { type: 'string', value: 'HOST', summary: 'Only this host (name, id or ARN)', completes: ['host'] },
    task: { type: 'string', value: 'TASK', summary: 'Only what this task uses', completes: ['task'] },
    sort: { type: 'string', value: 'BY', choices: sortKeys, summary: 'What uses the most first (default: cpu)' },
  },
  examples: [
    'gantry top',
    'gantry top --cluster web --interval 10',
    'gantry top --host host-1 --sort memory',
    "gantry top --json | jq '.tasks'",
  ],
  async run(context, { options: { interval = usualSeconds, once = false, host, task, sort } }) {
    const { out } = context;
    const found = task === undefined ? undefined : await findTask(context, task);
    const look: Look = {
      meter: createMeter(context),
      sort: sortKeys.find((key) => key === sort) ?? 'cpu',
      host: host ?? found?.containerInstanceArn,
      taskArn: found?.taskArn,
    };
    if (!once && out.json) return stream(context, look, interval);
    if (!once && out.terminal) return draw(context, look, interval);
    let snapshot = await takeSnapshot(context, look);
    if (snapshot.use.containers.length > 0) {
      await delay(betweenReadingsMs, undefined, { signal: context.signal });
      snapshot = await takeSnapshot(context, look);
    }
    out.data(snapshot);
    for (const line of pageOf(snapshot, out)) out.line(line);
    return exitCodes.ok;
  },
});

async function stream(context: CommandContext, look: Look, seconds: number): Promise<never> {
  for (;;) {
    const { snapshot, failure } = await attempted(context, look);
    if (snapshot !== undefined) context.out.data(snapshot);
    else context.out.note(failure);
    await delay(seconds * 1000, undefined, { signal: context.signal });
  }
}

async function draw(context: CommandContext, look: Look, seconds: number): Promise<never> {
  // Before the screen is taken, so that what is wrong from the start is told as ever.
  let last = await takeSnapshot(context, look);
  using screen = context.out.screen();
  for (let note = ''; ; ) {
    screen.draw(pageOf(last, context.out, screen.room(), note));
    await delay(seconds * 1000, undefined, { signal: context.signal });
    const { snapshot, failure } = await attempted(context, look);
    last = snapshot ?? last;
    note = failure;
  }
}

/** A control plane that is started again is looked at again; what cannot pass is thrown. */
async function attempted(context: CommandContext, look: Look): Promise<{ snapshot?: Snapshot; failure: string }> {
  try {
    return { snapshot: await takeSnapshot(context, look), failure: '' };
  } catch (error) {
    if (!(error instanceof GantryError && errorTraits[error.code].retryable)) throw error;
    return { failure: error.message };
  }
}
