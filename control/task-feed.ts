/**
 * Says, within this process, that something about a task changed. Carries no truth: whoever is called looks again. Progress frames
 * are for display only; the last one of each container is kept until the task changes, so that a reader who comes late sees it. One that
 * says what the pull waits for is kept until the next: none follows while it waits, whatever else changes.
 */
import type { ProgressFrame } from '../core/host-protocol.ts';
import type { TaskFeed } from './deps.ts';

type Listener = (progress?: ProgressFrame) => void;

/** Tasks whose progress is remembered; the longest unheard of are dropped first. */
const maxTasksWithProgress = 1000;

export function createTaskFeed(): TaskFeed {
  const listeners = new Map<string, Set<Listener>>();
  const progress = new Map<string, Map<string, ProgressFrame>>();

  function tell(taskId: string, frame?: ProgressFrame): void {
    // A copy, because a listener may subscribe again while it is called.
    for (const listener of Array.from(listeners.get(taskId) ?? [])) listener(frame);
  }

  function remember(frame: ProgressFrame): void {
    const frames = progress.get(frame.taskId) ?? new Map<string, ProgressFrame>();
    if (frame.phase === 'done') frames.delete(frame.container);
    else frames.set(frame.container, frame);
    progress.delete(frame.taskId);
    if (frames.size > 0) progress.set(frame.taskId, frames);
    const oldest = progress.keys().next().value;
    if (progress.size > maxTasksWithProgress && oldest !== undefined) progress.delete(oldest);
  }

  return {
    changed(taskId) {
      const frames = progress.get(taskId);
      for (const [container, { waitsFor }] of frames ?? []) if (waitsFor === undefined) frames?.delete(container);
      tell(taskId);
    },
    progress(frame) {
      remember(frame);
      tell(frame.taskId, frame);
    },
    subscribe(taskId, listener) {
      const ofTask = listeners.get(taskId) ?? new Set<Listener>();
      listeners.set(taskId, ofTask.add(listener));
      return {
        [Symbol.dispose]() {
          ofTask.delete(listener);
          if (ofTask.size === 0 && listeners.get(taskId) === ofTask) listeners.delete(taskId);
        },
      };
    },
    latestProgress: (taskId) => [...(progress.get(taskId)?.values() ?? [])],
  };
}
