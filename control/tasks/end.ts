/** The changes that end a task which waits for a host: by someone's wish or by verdict. It held nothing, so nothing is released. */
import type { Task } from '../../core/model/task.ts';
import type { Change } from '../store/table.ts';
import { replaceTask, unlistTask } from '../store/tasks.ts';
import { unlistWaiting } from '../store/waiting-tasks.ts';

/** `ended` is `seen` with the fact that ends it. */
export const endWaiting = (seen: Task, ended: Task, retentionSeconds: number): Change[] => [
  replaceTask(seen, ended, retentionSeconds),
  unlistTask(ended),
  unlistWaiting(ended),
];
