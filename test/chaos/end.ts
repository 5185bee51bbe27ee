/** Whether a task of a run of chaos came to the end that it was to come to. Each function answers what is wrong, in a sentence. */
import type { TaskView } from '../e2e/when-task.ts';
import { linesWritten } from './definitions.ts';
import type { Part } from './script.ts';

/** What became of a part that was acknowledged. */
export interface Fate {
  readonly part: Part;
  readonly task: string;
  readonly end: TaskView;
  /** Its lines, where it writes some and its log can be read. */
  readonly lines: readonly string[] | undefined;
  /** Its shim was killed: its exit may have been lost. */
  readonly isShot: boolean;
}

/** What an end without an exit code says. */
const lostWords = /^(ContainerVanishedError|CannotStartContainerError|CannotCreateContainerError): /;

export function wrongEnd({ part, end, isShot }: Fate): string[] {
  const main = end.containers.find(({ name }) => name === 'main');
  const stopCode = part.kind === 'stopped' ? 'UserInitiated' : 'EssentialContainerExited';
  if (end.stopCode === stopCode && main?.exitCode === part.exitCode) return [];
  const lost = end.containers.find(({ exitCode, reason }) => exitCode === undefined && lostWords.test(reason ?? ''));
  if (isShot && lost !== undefined && main?.exitCode === undefined) return [];
  const seen = { stopCode: end.stopCode, reason: end.stoppedReason, containers: end.containers.map(summary), isShot };
  return [`${part.name} (${part.kind}) should have ended with ${part.exitCode}: ${JSON.stringify(seen)}`];
}

const summary = ({ name, exitCode, reason, runtimeId, lastLogLines }: TaskView['containers'][number]) => ({
  name,
  exitCode,
  reason,
  runtimeId: runtimeId?.slice(0, 12),
  wrote: lastLogLines?.slice(-3).map(({ text }) => text),
});

/** Of one that was shot there may be fewer, never others. */
export function wrongLines({ part, lines, isShot }: Fate): string[] {
  if (lines === undefined) return [];
  const wanted = Array.from({ length: isShot ? lines.length : linesWritten }, (_, index) => `line ${index + 1}`);
  const first = wanted.findIndex((line, index) => lines[index] !== line);
  if (first === -1 && lines.length === wanted.length) return [];
  const at = first === -1 ? wanted.length : first;
  return [`${part.name} wrote ${wanted.length} lines, ${lines.length} were read; number ${at + 1} is "${lines[at]}"`];
}

/** Host ports that two tasks of a host had at the same time, as far as times of running tell. */
export function sharedPorts(fates: readonly Fate[]): string[] {
  const held = fates.flatMap(({ part, end }) =>
    end.containers.flatMap(({ networkBindings }) =>
      (networkBindings ?? []).map(({ hostPort, protocol }) => ({
        port: `${end.containerInstanceArn} ${hostPort}/${protocol}`,
        name: part.name,
        from: end.startedAt ?? Number.POSITIVE_INFINITY,
        to: end.executionStoppedAt ?? end.startedAt ?? 0,
      })),
    ),
  );
  return held.flatMap((one, index) =>
    held
      .slice(index + 1)
      .filter((other) => other.port === one.port && one.from < other.to && other.from < one.to)
      .map((other) => `${one.name} and ${other.name} had ${one.port} at the same time`),
  );
}
