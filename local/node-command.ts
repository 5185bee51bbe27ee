/** How a process of ours is started: by the very Node that runs this one. */

export const nodeCommand = (entry: string, args: readonly string[]): { command: string; args: string[] } => ({
  command: process.execPath,
  args: ['--disable-warning=ExperimentalWarning', entry, ...args],
});
