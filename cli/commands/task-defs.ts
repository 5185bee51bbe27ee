/** `gantry task-defs list`, `show`, `diff`, `deregister` and `delete`. */
import type { Failure, TaskDefinitionView } from '../../core/api/shapes.ts';
import { compact } from '../../core/compact.ts';
import { errorTraits, GantryError } from '../../core/errors.ts';
import { allPages } from '../all-pages.ts';
import { type ArgumentSpec, defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { changesBetween } from '../definition-fields.ts';
import { definitionFile } from '../definition-file.ts';
import { firstFailure } from '../exit-code.ts';
import {
  type Family,
  printDefinitionDiff,
  printDefinitionPage,
  printFamilyTable,
  printRevisionTable,
} from '../render/definition-page.ts';
import { revisionOf } from '../render/task.ts';
import { reportError } from '../report-error.ts';

const lastShown = 20;
/** As many as one DeleteTaskDefinitions takes. */
const mostDeleted = 10;

const revision: ArgumentSpec = {
  name: 'revision',
  summary: 'FAMILY (its latest ACTIVE revision), FAMILY:REVISION or ARN',
  required: true,
  completes: ['revision'],
};
const revisions: ArgumentSpec = { ...revision, summary: 'FAMILY:REVISION or ARN', variadic: true };

export const taskDefsListCommand = defineCommand({
  name: 'task-defs list',
  summary: 'Show the families of task definitions, or the revisions of one',
  arguments: [{ name: 'family', summary: 'show its revisions, the newest first', completes: ['family'] }],
  options: {
    all: { type: 'boolean', short: 'a', summary: 'Also those that were deregistered' },
    last: {
      type: 'integer',
      short: 'n',
      value: 'N',
      min: 1,
      max: 100,
      summary: 'Of a family, the last N (default: 20)',
    },
  },
  examples: ['gantry task-defs list', 'gantry task-defs list web --all'],
  async run(context, { args: [family], options: { all = false, last = lastShown } }) {
    const { out } = context;
    const known = await revisionsOf(context, family, all);
    if (family === undefined) {
      const families = familiesOf(known);
      out.data({ families });
      if (families.length === 0) out.note('Nothing is registered. `gantry register FILE` registers a task definition.');
      else printFamilyTable(families, out);
      return exitCodes.ok;
    }
    const taskDefinitions = await Promise.all(known.slice(0, last).map((name) => describe(context, name)));
    out.data({ taskDefinitions });
    if (taskDefinitions.length > 0) printRevisionTable(taskDefinitions, out, context.now());
    else
      out.note(
        `The family ${family} has no ${all ? '' : 'ACTIVE '}revision. \`gantry task-defs list\` shows families.`,
      );
    return exitCodes.ok;
  },
});

export const taskDefsShowCommand = defineCommand({
  name: 'task-defs show',
  summary: 'Show one revision, field by field, or as the file that would register it again',
  arguments: [revision],
  options: { file: { type: 'boolean', summary: 'Print it in YAML as `gantry register` takes it' } },
  examples: [
    'gantry task-defs show web',
    'gantry task-defs show web:3 --json',
    'gantry task-defs show web --file > web.yaml',
  ],
  async run({ client, out, now }, { args: [taskDefinition = ''], options: { file = false } }) {
    const described = await client().call('DescribeTaskDefinition', { taskDefinition, include: ['TAGS'] });
    const text = file ? definitionFile(described) : undefined;
    out.data(text === undefined ? described : { file: text });
    if (text !== undefined) out.line(text.trimEnd());
    else if (!out.json) printDefinitionPage(described, out, now());
    return exitCodes.ok;
  },
});

export const taskDefsDiffCommand = defineCommand({
  name: 'task-defs diff',
  summary: 'Say field by field what differs between two revisions',
  details: [
    'Containers, variables, ports, tags and the like are compared by their names, wherever they stand in their lists. Of a family alone ' +
      'its two latest ACTIVE revisions are compared; of a revision alone it and the latest one.',
  ],
  arguments: [
    { ...revision, name: 'from', summary: 'FAMILY:REVISION, FAMILY or ARN' },
    {
      ...revision,
      name: 'to',
      summary: 'FAMILY:REVISION, FAMILY or ARN (default: the latest ACTIVE one)',
      required: false,
    },
  ],
  options: {},
  examples: ['gantry task-defs diff web', 'gantry task-defs diff web:3', 'gantry task-defs diff web:3 web:7 --json'],
  async run(context, { args: [from = '', to] }) {
    const { out } = context;
    const [before, after] = await meant(context, from, to);
    const changes = changesBetween(before, after);
    out.data({ from: revisionOf(before), to: revisionOf(after), changes });
    if (!out.json) printDefinitionDiff(before, after, changes, out);
    return exitCodes.ok;
  },
});

export const taskDefsDeregisterCommand = defineCommand({
  name: 'task-defs deregister',
  summary: 'Make revisions INACTIVE: nothing new runs from them; what runs goes on',
  arguments: [revisions],
  options: {},
  examples: ['gantry task-defs deregister web:3', 'gantry task-defs deregister web:1 web:2'],
  async run({ client, out, signal }, { args }) {
    const taskDefinitions: TaskDefinitionView[] = [];
    const codes: number[] = [];
    for (const name of args) {
      try {
        const { taskDefinition } = await client().call('DeregisterTaskDefinition', { taskDefinition: name });
        taskDefinitions.push(taskDefinition);
        out.line(`${revisionOf(taskDefinition)} is ${taskDefinition.status}`);
      } catch (error) {
        // The others are deregistered all the same.
        codes.push(reportError(error, out, signal));
      }
    }
    out.data({ taskDefinitions });
    return firstFailure([...codes, exitCodes.ok]);
  },
});

export const taskDefsDeleteCommand = defineCommand({
  name: 'task-defs delete',
  summary: 'Delete INACTIVE revisions, each once no task runs from it any more',
  arguments: [revisions],
  options: {},
  examples: ['gantry task-defs deregister web:3 && gantry task-defs delete web:3'],
  async run({ client, out }, { args }) {
    const taskDefinitions: TaskDefinitionView[] = [];
    const failures: Failure[] = [];
    for (let from = 0; from < args.length; from += mostDeleted) {
      const answer = await client().call('DeleteTaskDefinitions', {
        taskDefinitions: args.slice(from, from + mostDeleted),
      });
      taskDefinitions.push(...answer.taskDefinitions);
      failures.push(...answer.failures);
    }
    out.data({ taskDefinitions, failures });
    for (const one of taskDefinitions) out.line(`${revisionOf(one)} is ${one.status}`);
    for (const { arn = '', reason, detail } of failures)
      out.note(`${out.paint('red', 'Error:')} ${lastPart(arn)} is not deleted: ${detail ?? reason}`);
    return failures.length === 0 ? exitCodes.ok : errorTraits.InvalidParameterException.exitCode;
  },
});

const lastPart = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

/** ARNs, of each family the newest first. */
async function revisionsOf({ client }: CommandContext, family: string | undefined, all: boolean): Promise<string[]> {
  const arns: string[] = [];
  for (const status of all ? (['ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS'] as const) : (['ACTIVE'] as const))
    arns.push(
      ...(await allPages(
        (nextToken) => client().call('ListTaskDefinitions', compact({ familyPrefix: family, status, nextToken })),
        (page) => page.taskDefinitionArns,
      )),
    );
  return arns.sort((a, b) => numberOf(b) - numberOf(a));
}

function familiesOf(arns: readonly string[]): Family[] {
  const families = new Map<string, Family>();
  for (const arn of arns) {
    const family = lastPart(arn).replace(/:\d+$/, '');
    const { latest = 0, revisions: count = 0 } = families.get(family) ?? {};
    families.set(family, { family, latest: Math.max(latest, numberOf(arn)), revisions: count + 1 });
  }
  return [...families.values()].sort((a, b) => a.family.localeCompare(b.family, 'en', { numeric: true }));
}

const numberOf = (arn: string): number => Number(arn.slice(arn.lastIndexOf(':') + 1));

async function describe({ client }: CommandContext, taskDefinition: string): Promise<TaskDefinitionView> {
  return (await client().call('DescribeTaskDefinition', { taskDefinition })).taskDefinition;
}

async function meant(
  context: CommandContext,
  from: string,
  to: string | undefined,
): Promise<[TaskDefinitionView, TaskDefinitionView]> {
  if (to !== undefined) return [await describe(context, from), await describe(context, to)];
  if (from.includes(':')) {
    const before = await describe(context, from);
    return [before, await describe(context, before.family)];
  }
  const [latest, previous] = await revisionsOf(context, from, false);
  if (latest !== undefined && previous !== undefined)
    return [await describe(context, previous), await describe(context, latest)];
  throw new GantryError('ResourceNotFoundException', `The family ${from} has no two ACTIVE revisions to compare.`, {
    hint: `Name both: \`gantry task-defs list ${from} --all\` shows what there is.`,
  });
}
