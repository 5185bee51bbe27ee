/** `gantry completion`: the script that lets a shell complete gantry's command lines. */
import { defineCommand, exitCodes } from '../command.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
const shells = ['bash', 'zsh', 'fish'] as const;

export const completionCommand = defineCommand({
  name: 'completion',
  summary: 'Print the script by which bash, zsh or fish completes commands, options and what they name',
  details: [
    'For good: in ~/.bashrc `source <(gantry completion bash)`; in ~/.zshrc, behind compinit, `source <(gantry completion zsh)`; for fish ' +
      '`gantry completion fish > ~/.config/fish/completions/gantry.fish`.',
    'Clusters, tasks, task definitions, hosts and contexts are asked for while you type, of the control plane that the line names.',
  ],
  arguments: [{ name: 'shell', summary: shells.join(', '), required: true, choices: shells }],
  options: {},
  examples: ['source <(gantry completion bash)', 'gantry completion fish > ~/.config/fish/completions/gantry.fish'],
  async run({ commands, out }, { args: [shell] }) {
    const script = scripts[shells.find((one) => one === shell) ?? 'bash'](commands);
    out.data({ script });
    out.line(script.trimEnd());
    return exitCodes.ok;
  },
});
