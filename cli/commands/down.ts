/** `gantry down`: takes the cloud on this machine down. */
import { defineCommand, exitCodes } from '../command.ts';
import { localOptions, whereOptions } from './cloud-options.ts';

export const downCommand = defineCommand({
  name: 'down',
  summary: 'Stop all tasks and take the cloud on this machine down',
  arguments: [],
  options: {
    ...whereOptions,
    purge: { type: 'boolean', summary: 'Remove its data too: task definitions, history, images, keys' },
  },
  examples: ['gantry down', 'gantry down --purge'],
  async run(context, { options }) {
    const { out, local } = context;
    const done: string[] = [];
    const say = (line: string) => {
      done.push(line);
      out.note(line);
    };
    await local.down(localOptions(context, options), say);
    out.data({ done });
    return exitCodes.ok;
  },
});
