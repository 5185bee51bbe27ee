/** `gantry events`: what has happened in a cluster, and what is happening. */
import type { Client } from '../../client/client.ts';
import { followEvents } from '../../client/follow-events.ts';
import { resumed } from '../../client/resume.ts';
import type { EventView } from '../../core/api/events.ts';
import type { Input } from '../../core/api/operations.ts';
import { compact } from '../../core/compact.ts';
import { type EventKind, eventKinds } from '../../core/model/event.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { findTask } from '../find-task.ts';
import { printEventLine, printEventTable } from '../render/event-lines.ts';
import { taskIdOf } from '../render/task.ts';
import { momentNamed } from '../since.ts';

const lastShown = 50;

type Filters = Pick<Input<'ListEvents'>, 'cluster' | 'task' | 'host' | 'kind' | 'since'>;

export const eventsCommand = defineCommand({
  name: 'events',
  summary: 'Show what happened to tasks, hosts and capacity, and what was refused',
  details: [
    'Events are kept for as long as stopped tasks are. With --follow a connection that breaks is taken up behind the last event that was ' +
      'printed, so that none is missed; with --json each is a line of its own.',
  ],
  arguments: [],
  options: {
    follow: { type: 'boolean', short: 'f', summary: 'Go on with what happens, from now or from --since, until Ctrl-C' },
    task: {
      type: 'string',
      value: 'ID',
      summary: 'Only what happened to this task (id, its beginning, or ARN)',
      completes: ['task'],
    },
    host: {
      type: 'string',
      value: 'HOST',
      summary: 'Only what happened to this host itself (name, id or ARN)',
      completes: ['host'],
    },
    kind: { type: 'string', value: 'KIND', multiple: true, choices: eventKinds, summary: 'Only events of this kind' },
    since: {
      type: 'string',
      value: 'WHEN',
      summary: 'Only what happened since: 90s, 15m, 2h, 3d, or a time in RFC 3339',
    },
    last: { type: 'integer', short: 'n', value: 'N', min: 1, summary: 'The last N (default: 50, with --since all)' },
  },
  examples: [
    'gantry events',
    'gantry events --task 3f2a --since 2h',
    'gantry events --follow --kind refusal --kind capacity',
    "gantry events --json | jq -r '.events[].headline'",
  ],
  async run(context, { options }) {
    const { client, out, now } = context;
    const filters = await filtersOf(context, options);
    if (options.follow === true) {
      const since = filters.since ?? new Date(now()).toISOString();
      const onBreak = (error: unknown): void => out.note(breakText(error));
      const events = resumed(followEvents(client(), { ...filters, since }, context.signal), {
        signal: context.signal,
        isWhole: () => false,
        onBreak,
      });
      for await (const event of events) printEventLine(event, out);
      return exitCodes.ok;
    }
    const most = options.last ?? (options.since === undefined ? lastShown : Infinity);
    const events = await lastEvents(client(), filters, most);
    out.data({ events });
    if (events.length === 0) out.note(`Nothing is known to have happened in the cluster ${context.cluster}.`);
    else printEventTable(events, out, now());
    return exitCodes.ok;
  },
});

interface Wish {
  readonly task?: string;
  readonly host?: string;
  readonly kind?: readonly string[];
  readonly since?: string;
}

async function filtersOf(context: CommandContext, { task, host, kind, since }: Wish): Promise<Filters> {
  const kinds = kind?.filter((one): one is EventKind => eventKinds.some((known) => known === one));
  return compact({
    cluster: context.cluster,
    // One that is named whole may be forgotten: its events are still there.
    task: task === undefined || isWhole(task) ? task : taskIdOf(await findTask(context, task)),
    host,
    kind: kinds,
    since: since === undefined ? undefined : momentNamed(since, context.now()).toISOString(),
  });
}

const isWhole = (task: string): boolean => task.startsWith('arn:') || /^[0-9a-f]{32}$/.test(task);

/** In the order in which they happened. */
async function lastEvents(client: Client, filters: Filters, most: number): Promise<EventView[]> {
  const events: EventView[] = [];
  let nextToken: string | undefined;
  do {
    const limit = Math.min(100, most - events.length);
    const page = await client.call('ListEvents', compact({ ...filters, order: 'newest' as const, limit, nextToken }));
    events.push(...page.events);
    nextToken = page.nextToken;
  } while (nextToken !== undefined && events.length < most);
  return events.reverse();
}

const breakText = (error: unknown): string =>
  `The events broke off (${error instanceof Error ? error.message : String(error)}); taking them up again`;
