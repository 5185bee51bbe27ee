/** `gantry register`: a task definition from a file. */
import { defineCommand, exitCodes } from '../command.ts';
import { registerFile } from '../register-file.ts';
import { revisionOf } from '../render/task.ts';
import { noteWarnings } from '../render/warnings.ts';

export const registerCommand = defineCommand({
  name: 'register',
  summary: 'Register a task definition from a JSON or YAML file',
  details: [
    'What becomes of each member stands in docs/task-definition-fields.md; what is only recorded or ignored is said in a warning, and ' +
      'what is refused at its line and column. Editors complete such a file by docs/task-definition.schema.json.',
  ],
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
