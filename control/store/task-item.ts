/**
 * A task as its item holds it. Units are billed by the kilobyte, and most of a stopped task are its last log lines: they are one text a
 * container, a line each, instead of a map each. Items of before, which hold them as they are, are understood too.
 */
import { type LogLine, type Task, taskSchema } from '../../core/model/task.ts';
import { parseItem } from './item.ts';
import { keys } from './keys.ts';
import type { Item, Json } from './table.ts';

type Members = { readonly [name: string]: Json | undefined };
type Observed = NonNullable<Task['observed']>;
type Container = Observed['containers'][number];

/** Without the id, which is in the key. */
export function taskData({ observed, ...task }: Task): Members {
  const data = { ...task, id: undefined };
  return observed === undefined
    ? data
    : { ...data, observed: { ...observed, containers: observed.containers.map(packed) } };
}

function packed({ lastLogLines, ...container }: Container): Members {
  return lastLogLines === undefined ? container : { ...container, lastLogLines: lastLogLines.map(lineText).join('\n') };
}

/**
 * Within a container's text, `o` is what it wrote to standard output and `e` to standard error, with `~` where the time is approximate.
 * A line has no end of line in it.
 */
const lineText = ({ at, stream, text, approximate }: LogLine): string =>
  `${at} ${stream === 'stdout' ? 'o' : 'e'}${approximate === true ? '~' : ''} ${text.replaceAll('\n', ' ')}`;

export function parseTask(item: Item): Task {
  const id = item.pk.slice(keys.task('').pk.length);
  return parseItem(taskSchema, { ...item, data: { ...item.data, ...unpackedObservation(item.data), id } });
}

function unpackedObservation({ observed }: Members): Members {
  if (!isMembers(observed) || !isList(observed.containers)) return {};
  const containers = observed.containers.map((container) => (isMembers(container) ? unpacked(container) : container));
  return { observed: { ...observed, containers } };
}

function unpacked(container: Members): Members {
  const { name, lastLogLines } = container;
  if (typeof lastLogLines !== 'string') return container;
  const lines = lastLogLines === '' ? [] : lastLogLines.split('\n').map((text) => lineOf(text, name));
  return { ...container, lastLogLines: lines };
}

function lineOf(line: string, container: Json | undefined): Members {
  const [at = '', stream = ''] = line.split(' ', 2);
  const text = line.slice(at.length + stream.length + 2);
  const members = { at: Number(at), container, stream: stream.startsWith('o') ? 'stdout' : 'stderr', text };
  return stream.endsWith('~') ? { ...members, approximate: true } : members;
}

const isMembers = (value: Json | undefined): value is Members =>
  typeof value === 'object' && value !== null && !isList(value);
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
