/** `gantry quickstart`: from a machine with nothing on it to a container that ran, told as it happens; nothing is left behind. */
import { defineCommand } from '../command.ts';
import { tellQuickstart } from '../quickstart/story.ts';
import { localOptions, upOptions } from './cloud-options.ts';

export const quickstartCommand = defineCommand({
  name: 'quickstart',
  summary:
    'Bring a cloud up, run a first container on it, tell what happens and how long it takes, and leave nothing behind',
  arguments: [],
  options: {
    keep: { type: 'boolean', summary: 'Leave the cloud up, and say what to try next' },
    ...upOptions,
  },
  examples: ['gantry quickstart', 'gantry quickstart --keep', 'gantry quickstart --hosts 3'],
  run(context, { options: { keep = false, ...chosen } }) {
    const runDir = chosen['run-dir'] ?? context.runDir;
    return tellQuickstart(context, { local: localOptions(context, chosen), runDir, keep });
  },
});
