/** Rings a bell when something in a directory changes: by the kernel's word, or by looking again where it has no watches left. */
import { type FSWatcher, watch } from 'node:fs';
import type { Bell } from '../loops/bell.ts';

const lookAgainMs = 500;

export function watchDirectories(directories: readonly string[], bell: Bell): Disposable {
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  const lookAgain = (): void => {
    timer ??= setInterval(() => bell.ring(), lookAgainMs);
  };
  for (const directory of directories) {
    try {
      const watcher = watch(directory, { persistent: false }, () => bell.ring());
      watcher.on('error', lookAgain);
      watchers.push(watcher);
    } catch {
      lookAgain(); // fs.inotify.max_user_watches is used up, or the directory was removed.
    }
  }
  return {
    [Symbol.dispose]() {
      for (const watcher of watchers) watcher.close();
      clearInterval(timer);
    },
  };
}
