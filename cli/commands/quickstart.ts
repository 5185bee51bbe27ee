/** `gantry quickstart`: from a machine with nothing on it to a container that ran, told as it happens; nothing is left behind. */
import { defineCommand } from '../command.ts';
import { tellQuickstart } from '../quickstart/story.ts';
import { localOptions, upOptions } from './cloud-options.ts';

export const quickstartCommand = defineCommand({
  name: 'quickstart',
  summary: 'Run a first container on this machine, tell what happens, and leave nothing behind',
  arguments: [],
  options: {
    keep: { type: 'boolean', summary: 'Leave the cloud up, and say what to try next' },
    ...upOptions,
    data: {
      ...upOptions.data,
      summary: 'Where its data are (default: a directory of its own, or with --keep the usual one)',
    },
  },
  examples: ['gantry quickstart', 'gantry quickstart --keep', 'gantry quickstart --hosts 3'],
  run(context, { options: { keep = false, ...chosen } }) {
    const runDir = chosen['run-dir'] ?? context.runDir;
    return tellQuickstart(context, { local: localOptions(context, chosen), runDir, keep });
  },
});
