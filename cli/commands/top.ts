/** `gantry top`: a cluster at a glance, redrawn in place while it changes. */
import { setTimeout as delay } from 'node:timers/promises';
import { errorTraits, GantryError } from '../../core/errors.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { pageOf } from '../top/page.ts';
import { type Snapshot, takeSnapshot } from '../top/snapshot.ts';

const usualSeconds = 2;

export const topCommand = defineCommand({
  name: 'top',
  summary: 'Watch a cluster: hosts and how full they are, tasks, what waits and why, what is on order',
  details: [
    'On a terminal it redraws itself until Ctrl-C and fits whatever size the terminal has. Elsewhere it prints one snapshot and ends; with ' +
      '--json one object a refresh, until Ctrl-C or with --once a single one.',
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
  },
  examples: ['gantry top', 'gantry top --cluster web --interval 10', "gantry top --json | jq '.tasks'"],
  async run(context, { options: { interval = usualSeconds, once = false } }) {
    const { out } = context;
    if (once || !(out.json || out.terminal)) {
      const snapshot = await takeSnapshot(context);
      out.data(snapshot);
      for (const line of pageOf(snapshot, out)) out.line(line);
      return exitCodes.ok;
    }
    return out.json ? stream(context, interval) : draw(context, interval);
  },
});

async function stream(context: CommandContext, seconds: number): Promise<never> {
  for (;;) {
    const { snapshot, failure } = await attempted(context);
    if (snapshot !== undefined) context.out.data(snapshot);
    else context.out.note(failure);
    await delay(seconds * 1000, undefined, { signal: context.signal });
  }
}

async function draw(context: CommandContext, seconds: number): Promise<never> {
  // Before the screen is taken, so that what is wrong from the start is told as ever.
  let last = await takeSnapshot(context);
  using screen = context.out.screen();
  for (let note = ''; ; ) {
    screen.draw(pageOf(last, context.out, screen.room(), note));
    await delay(seconds * 1000, undefined, { signal: context.signal });
    const { snapshot, failure } = await attempted(context);
    last = snapshot ?? last;
    note = failure;
  }
}

/** A control plane that is started again is looked at again; what cannot pass is thrown. */
async function attempted(context: CommandContext): Promise<{ snapshot?: Snapshot; failure: string }> {
  try {
    return { snapshot: await takeSnapshot(context), failure: '' };
  } catch (error) {
    if (!(error instanceof GantryError && errorTraits[error.code].retryable)) throw error;
    return { failure: error.message };
  }
}
