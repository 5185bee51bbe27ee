/** `gantry events`: a row an event, with what it is about and what happened; while it is followed, a line each as it comes. */
import type { EventView } from '../../core/api/events.ts';
import type { EventKind } from '../../core/model/event.ts';
import { formatTime } from '../../core/text.ts';
import type { Output, Style } from '../output.ts';
import { oneLine } from './text.ts';
import { formatMoment } from './time.ts';

const shortIdLength = 12;
const kindWidth = 8;

const styles: Readonly<Partial<Record<EventKind, Style>>> = { refusal: 'red', waiting: 'yellow', drain: 'yellow' };

export function printEventTable(events: readonly EventView[], out: Output, now: number): void {
  out.table(
    ['TIME', 'KIND', 'ABOUT', 'WHAT'],
    events.map((event) => [
      formatMoment(event.time, { terminal: out.terminal, now }),
      kindOf(event, out),
      aboutOf(event),
      oneLine(event.headline),
    ]),
  );
}

/** With --json the event itself. The time is absolute: nobody knows when the line is read. */
export function printEventLine(event: EventView, out: Output): void {
  out.data(event);
  const time = out.terminal ? formatTime(event.time.getTime()) : event.time.toISOString();
  const kind = kindOf(event, out) + ' '.repeat(Math.max(0, kindWidth - event.kind.length));
  out.line(`${time}  ${kind}  ${aboutOf(event).padEnd(shortIdLength)}  ${oneLine(event.headline)}`);
}

function kindOf({ kind }: EventView, out: Output): string {
  const style = styles[kind];
  return style === undefined ? kind : out.paint(style, kind);
}

/** A task or a host by the beginning of its id, a capacity provider by its name, a call by that of its operation. */
function aboutOf({ kind, resources, detail }: EventView): string {
  if (kind === 'refusal') return String(detail.operation);
  const name = resources.at(-1)?.split('/').at(-1) ?? '';
  return kind === 'capacity' ? name : name.slice(0, shortIdLength);
}
