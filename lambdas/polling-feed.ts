/**
 * A task feed for processes in which no change of a task is heard of: whoever subscribes is told to look again, soon at first and then
 * ever more seldom. A wait of 25 s looks some fifteen times.
 */
import type { TaskFeed } from '../control/deps.ts';
import { createTaskFeed } from '../control/task-feed.ts';

const firstMs = 200;
const growth = 1.5;
const longestMs = 2500;

export function createPollingFeed(): TaskFeed {
  const heard = createTaskFeed();
  return {
    ...heard,
    subscribe(taskId, listener) {
      const subscription = heard.subscribe(taskId, listener);
      let timer: NodeJS.Timeout;
      const lookAgainAfter = (ms: number): void => {
        timer = setTimeout(() => {
          listener();
          lookAgainAfter(Math.min(ms * growth, longestMs));
        }, ms);
      };
      lookAgainAfter(firstMs);
      return {
        [Symbol.dispose]() {
          clearTimeout(timer);
          subscription[Symbol.dispose]();
        },
      };
    },
  };
}
