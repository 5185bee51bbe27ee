/** `gantry register`: a task definition from a file. */
import { defineCommand, exitCodes } from '../command.ts';
import { registerFile } from '../register-file.ts';
import { revisionOf } from '../render/task.ts';
import { noteWarnings } from '../render/warnings.ts';

export const registerCommand = defineCommand({
  name: 'register',
  summary: 'Register a task definition from a JSON or YAML file',
  arguments: [
    {
      name: 'file',
      summary: 'JSON or YAML, as RegisterTaskDefinition takes it; - is standard input',
      required: true,
      completes: ['file'],
    },
  ],
  options: {},
  examples: ['gantry register examples/hello.json', 'cat web.yaml | gantry register -'],
  async run(context, { args: [path = ''] }) {
    const { out } = context;
    const registered = await registerFile(context, path);
    out.data(registered);
    noteWarnings(registered.warnings, out);
    const revision = revisionOf(registered.taskDefinition);
    out.line(`Registered ${revision}. Run it: gantry run ${revision}`);
    return exitCodes.ok;
  },
});
