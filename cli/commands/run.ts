/** `gantry run`: runs a revision (or the task definition in a file), and with --wait or --follow sees it to its end. */
import type { Output as Answer } from '../../core/api/operations.ts';
import { plural } from '../../core/text.ts';
import { defineCommand, exitCodes, runExitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf, firstFailure } from '../exit-code.ts';
import { registerFile } from '../register-file.ts';
import { logBreakText, logLineData, logWaitText, printLogLine } from '../render/log-lines.ts';
import { Narrator } from '../render/narrator.ts';
import { headlineOf, revisionOf, shortId, taskIdOf } from '../render/task.ts';
import { noteWarnings } from '../render/warnings.ts';
import { reportError } from '../report-error.ts';
import {
  changesContainer,
  overrideOptions,
  overridesOf,
  requestMembers,
  requestOptions,
  taskArgument,
  taskIsFile,
} from '../run-request.ts';
import { watchToEnd } from '../watch.ts';

type Made = Answer<'RunTask'>;

interface SeeingOptions {
  readonly follow: boolean;
  readonly container: string | undefined;
  readonly timeoutSeconds: number | undefined;
}

export const runCommand = defineCommand({
  name: 'run',
  summary: 'Run tasks, from a revision or from a JSON or YAML file',
  details: [
    'Tasks that fit on no host wait for one, ten minutes unless --placement-timeout says otherwise; with --launch-type EC2 they are ' +
      'refused instead. Without --wait it ends once they are placed or wait, with 2 where one was refused.',
    'With --wait or --follow it ends with the exit code of the container that decided the end of the task, or of --container; with 122 ' +
      'where a task never had a host, 124 after --timeout, 125 where Gantry failed; of several tasks with the first that is not 0. ' +
      'Ctrl-C leaves tasks running.',
    'A command behind --, --env, --cpu and --memory change the container for this run alone; where the revision has several, ' +
      '--container says which.',
  ],
  arguments: [taskArgument],
  options: {
    wait: {
      type: 'boolean',
      short: 'w',
      summary: "Tell what happens until it has stopped; the container's exit code is ours",
    },
    follow: { type: 'boolean', short: 'f', summary: 'Like --wait, and print what the containers write' },
    timeout: {
      type: 'integer',
      value: 'SECONDS',
      min: 1,
      summary: 'With --wait: end with 124 after this long; the task goes on',
    },
    ...overrideOptions,
    ...requestOptions,
  },
  rest: 'the command of the container, instead of the one in the revision',
  examples: [
    'gantry run hello --follow',
    'gantry run examples/hello.json --wait',
    'gantry run hello --follow -e NAME=World --memory 128 -- sh -c \'echo "Hello $NAME"\'',
    'gantry run web:3 --count 4 --strategy spread:instanceId',
  ],
  async run(context, { args: [named = ''], options, rest }) {
    const { out, client, cluster, signal } = context;
    const members = requestMembers(options);
    const taskDefinition = taskIsFile(named) ? await registered(context, named) : named;
    const overrides = changesContainer(options, rest)
      ? overridesOf((await client().call('DescribeTaskDefinition', { taskDefinition })).taskDefinition, options, rest)
      : undefined;
    const request = { ...members, taskDefinition, cluster, ...(overrides !== undefined && { overrides }) };
    const made = await client().call('RunTask', request, signal);
    noteWarnings(made.warnings, out);
    if (made.remaining !== undefined)
      out.note(`Not listed here: ${plural(made.remaining, 'task')} made after these; \`gantry ps\` shows all.`);
    for (const failure of made.failures) out.note(failureText(out.paint('red', 'Not placed:'), failure));
    const { follow = false, wait = false, container, timeout: timeoutSeconds } = options;
    if (follow || wait) return seeToEnd(context, made, { follow, container, timeoutSeconds });
    out.data(made);
    for (const task of made.tasks) out.line(`${shortId(task)} ${revisionOf(task)} ${headlineOf(task)}`);
    return made.failures.length > 0 ? exitCodes.notPlaced : exitCodes.ok;
  },
});

async function registered(context: CommandContext, path: string): Promise<string> {
  const { taskDefinition, warnings } = await registerFile(context, path);
  noteWarnings(warnings, context.out);
  const revision = revisionOf(taskDefinition);
  context.out.note(`registered ${revision}`);
  return revision;
}

const failureText = (prefix: string, { reason, detail, arn }: Made['failures'][number]): string =>
  [
    prefix,
    reason,
    ...(detail === undefined ? [] : [`(${detail})`]),
    ...(arn === undefined ? [] : [`nearest: ${arn}`]),
  ].join(' ');

async function seeToEnd(context: CommandContext, made: Made, options: SeeingOptions): Promise<number> {
  const { out, client, now, signal } = context;
  const { container, timeoutSeconds } = options;
  const timer = timeoutSeconds === undefined ? undefined : AbortSignal.timeout(timeoutSeconds * 1000);
  const several = made.tasks.length > 1;
  try {
    const tasks = await watchToEnd(made.tasks, {
      client: client(),
      narrator: new Narrator({ out, now, several }),
      signal: timer === undefined ? signal : AbortSignal.any([signal, timer]),
      ...(options.follow && logPrinters(context, several)),
    });
    const codes = [
      ...tasks.map((task) => exitCodeOf(task, container)),
      ...made.failures.map(() => runExitCodes.notPlaced),
    ];
    const exitCode = firstFailure(codes);
    out.data({ ...(options.follow && { kind: 'end' }), ...made, tasks, exitCode });
    return exitCode;
  } catch (error) {
    return leave(context, made, error, { timedOut: timer?.aborted === true });
  }
}

function logPrinters({ out }: CommandContext, several: boolean) {
  return {
    onLogLine(task: Made['tasks'][number], line: Parameters<typeof printLogLine>[1]): void {
      const names = [...(several ? [shortId(task)] : []), ...(task.containers.length > 1 ? [line.container] : [])];
      const data = { kind: 'log', task: taskIdOf(task), ...logLineData(line) };
      printLogLine(out, line, { writer: names.join(' '), data });
    },
    onLogWait(task: Made['tasks'][number], error: Error): void {
      out.note(logWaitText(shortId(task), error));
    },
    onLogBreak(task: Made['tasks'][number], error: unknown, what: 'broken' | 'lost'): void {
      out.note(logBreakText(shortId(task), error, what));
    },
  };
}

/** The tasks go on without us, whatever made us go. */
function leave(
  { out, signal }: CommandContext,
  { tasks }: Made,
  error: unknown,
  { timedOut }: { timedOut: boolean },
): number {
  out.status([]);
  const ids = tasks.map(shortId).join(' ');
  const goOn = `${plural(tasks.length, 'task')} may go on; \`gantry ps\` shows, \`gantry stop ${ids}\` ends.`;
  if (signal.aborted || timedOut) {
    const why = signal.aborted ? 'Interrupted' : 'It took too long';
    out.data({ error: { code: signal.aborted ? 'Interrupted' : 'Timeout', message: `${why}.` }, tasks });
    out.note(`${why}: ${goOn}`);
    return signal.aborted ? exitCodes.interrupted : runExitCodes.timeout;
  }
  reportError(error, out, signal);
  out.note(goOn);
  return runExitCodes.gantryFailed;
}
