/**
 * Tells the stories of tasks while they happen, on standard error: each new line of a story once, pulls as they come along, and after
 * half a minute without news what the task waits for. Keeps what it has told; knows no client and no timer.
 */
import type { TaskView } from '../../core/api/shapes.ts';
import type { ProgressFrame } from '../../core/host-protocol.ts';
import { formatDuration } from '../../core/text.ts';
import type { Output } from '../output.ts';
import { progressLine, pullBegins, pullWaits } from './progress.ts';
import { storyCells } from './story.ts';
import { headlineOf, shortId, taskIdOf } from './task.ts';

const quietMs = 30_000;
/** Of a terminal that may be small. */
const maxStatusLines = 6;

interface Told {
  view: TaskView;
  readonly lines: Set<string>;
  readonly pulls: Map<string, ProgressFrame>;
  readonly announcedPulls: Set<string>;
  /** When something was last said of it. */
  saidAt: number;
}

export interface NarratorOptions {
  readonly out: Output;
  readonly now: () => number;
  /** Whether several tasks are told of at once: then each line begins with the task. */
  readonly several: boolean;
}

export class Narrator {
  readonly #out: Output;
  readonly #now: () => number;
  readonly #several: boolean;
  readonly #tasks = new Map<string, Told>();

  constructor({ out, now, several }: NarratorOptions) {
    this.#out = out;
    this.#now = now;
    this.#several = several;
  }

  task(view: TaskView): void {
    const told = this.#toldOf(view);
    told.view = view;
    // A pull's end is told by the story.
    if (view.pullStoppedAt !== undefined || view.lastStatus === 'STOPPED') told.pulls.clear();
    for (const line of view.story) {
      const key = `${line.phase} ${line.text}`;
      if (told.lines.has(key)) continue;
      told.lines.add(key);
      // Said already, with what is pulled.
      if (line.phase === 'pulling' && told.announcedPulls.size > 0 && !this.#out.interactive) continue;
      const [when, text] = storyCells(line, view, this.#out.interactive);
      this.#say(told, `${this.#out.paint('dim', when.padEnd(9))} ${text}`);
    }
    this.#drawStatus();
  }

  progress(frame: ProgressFrame): void {
    const told = this.#tasks.get(frame.taskId);
    if (told === undefined) return;
    const before = told.pulls.get(frame.container)?.waitsFor;
    if (frame.phase === 'done') told.pulls.delete(frame.container);
    else told.pulls.set(frame.container, frame);
    const begins = frame.phase === 'downloading' && !told.announcedPulls.has(frame.container);
    if (begins) told.announcedPulls.add(frame.container);
    if (begins && !this.#out.interactive) this.#say(told, pullBegins(frame));
    const waits = frame.waitsFor !== undefined && frame.waitsFor.reason !== before?.reason;
    if (waits && !this.#out.interactive) this.#say(told, pullWaits(frame, this.#now()));
    this.#drawStatus();
  }

  /** To be called about once a second. */
  tick(): void {
    for (const told of this.#tasks.values()) {
      const { view, saidAt } = told;
      if (!isUnderWay(view) || this.#now() - saidAt < quietMs) continue;
      const waited = formatDuration(this.#now() - view.createdAt.getTime());
      this.#say(told, `still ${view.lastStatus} after ${waited}: it ${headlineOf(view)}`);
    }
    this.#drawStatus();
  }

  /** Takes the changing lines away. */
  end(): void {
    this.#out.status([]);
  }

  #toldOf(view: TaskView): Told {
    const id = taskIdOf(view);
    const known = this.#tasks.get(id);
    if (known !== undefined) return known;
    const told = { view, lines: new Set<string>(), pulls: new Map(), announcedPulls: new Set<string>(), saidAt: 0 };
    this.#tasks.set(id, told);
    return told;
  }

  #say(told: Told, text: string): void {
    told.saidAt = this.#now();
    this.#out.note(this.#several ? `${shortId(told.view)}  ${text}` : text);
  }

  #drawStatus(): void {
    if (!this.#out.interactive) return;
    const lines = [...this.#tasks.values()].flatMap((told) => this.#statusOf(told));
    const hidden = lines.length - maxStatusLines;
    this.#out.status(hidden > 0 ? [...lines.slice(0, maxStatusLines), `… and ${hidden} more`] : lines);
  }

  #statusOf({ view, pulls }: Told): string[] {
    if (!isUnderWay(view)) return [];
    const prefix = this.#several ? `${shortId(view)}  ` : '';
    const frames = [...pulls.values()];
    if (frames.length > 0) return frames.map((frame) => prefix + progressLine(frame, this.#now()));
    const seconds = Math.floor((this.#now() - view.createdAt.getTime()) / 1000);
    const waited = seconds > 0 ? ` after ${formatDuration(seconds * 1000)}` : '';
    return [`${prefix}${view.lastStatus}${waited}: it ${headlineOf(view)}`];
  }
}

/** Neither running nor over: somebody waits for the next step. */
const isUnderWay = ({ lastStatus }: TaskView): boolean => lastStatus !== 'RUNNING' && lastStatus !== 'STOPPED';
