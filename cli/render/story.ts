/** A task's story as lines: what has happened, each with its time. */
import type { TaskView } from '../../core/api/shapes.ts';
import type { Output } from '../output.ts';
import { oneLine } from './text.ts';
import { formatOffset } from './time.ts';

type StoryLine = TaskView['story'][number];

/** On a terminal the time since the request; elsewhere the time itself. */
export function storyCells({ at, text }: StoryLine, { createdAt }: TaskView, terminal: boolean): [string, string] {
  return [terminal ? formatOffset(at, createdAt) : at.toISOString(), oneLine(text)];
}

export const storyRows = (task: TaskView, out: Output): string[][] =>
  task.story.map((line) => {
    const [when, text] = storyCells(line, task, out.terminal);
    return [out.paint('dim', when), text];
  });
