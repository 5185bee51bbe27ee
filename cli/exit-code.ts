/** What `gantry run --wait` ends with: the exit code of the container that decided the task's end, or one of ours. */
import type { ContainerView, TaskView } from '../core/api/shapes.ts';
import { runExitCodes } from './command.ts';

/** `container`: whose code counts; the essential one that ended first where absent. */
export function exitCodeOf(task: TaskView, container?: string): number {
  if (task.containerInstanceArn === undefined) return runExitCodes.notPlaced;
  if (task.stopCode === 'TaskFailedToStart') return runExitCodes.gantryFailed;
  return deciding(task, container)?.exitCode ?? runExitCodes.gantryFailed;
}

function deciding({ containers }: TaskView, name: string | undefined): ContainerView | undefined {
  if (name !== undefined) return containers.find((container) => container.name === name);
  const [first] = containers.filter(({ essential }) => essential).sort((a, b) => endOf(a) - endOf(b));
  return first;
}

/** One that has no end, because nobody saw it, comes last. */
const endOf = ({ stoppedAt }: ContainerView): number => stoppedAt?.getTime() ?? Number.POSITIVE_INFINITY;

/** Of several tasks, the first that is not 0. */
export const firstFailure = (codes: readonly number[]): number => codes.find((code) => code !== 0) ?? 0;
