/** Network settings of the kernel (/proc/sys/net), which every network namespace has of its own. */
import { readFile, writeFile } from 'node:fs/promises';
import { runTool } from './tool.ts';

export async function readSysctl(path: string, netns: string | undefined): Promise<string> {
  // What is read depends on the network namespace of the reader.
  return netns === undefined
    ? await readFile(`/proc/sys/${path}`, 'utf8')
    : await runTool('cat', [`/proc/sys/${path}`], { netns });
}

/** Only what differs is written: a setting that is right already may be read-only, as in a container. */
export async function writeSysctl(path: string, value: string, netns: string | undefined): Promise<void> {
  if ((await readSysctl(path, netns)).trim() === value) return;
  if (netns === undefined) await writeFile(`/proc/sys/${path}`, value);
  else await runTool('sh', ['-c', 'echo "$1" > "$0"', `/proc/sys/${path}`, value], { netns });
}
