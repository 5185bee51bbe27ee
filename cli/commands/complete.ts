/** `gantry complete`: what can stand for an argument, asked for by completion scripts while somebody types. */
import { compact } from '../../core/compact.ts';
import { type Completion, completions, defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { localName } from '../contexts/book.ts';
import { revisionOf, shortId } from '../render/task.ts';

/** Somebody waits with a finger on the key. */
const patienceMs = 3000;
const most = 100;

/** With what tells it from others, where there is something. */
type Candidate = readonly [value: string, description?: string];

export const completeCommand = defineCommand({
  name: 'complete',
  summary: 'Print what can stand for an argument, one a line: what completion asks while you type',
  details: [
    'Behind a tab stands what it is. Where nothing answers, nothing is printed: whoever types is not told of errors.',
  ],
  arguments: [{ name: 'kind', summary: completions.join(', '), required: true, choices: completions }],
  options: {},
  examples: ['gantry complete task --cluster web'],
  async run(context, { args: [kind = ''] }) {
    const candidates = await candidatesOf(context, completions.find((one) => one === kind) ?? 'file').catch(() => []);
    context.out.data({ candidates: candidates.map(([value, description]) => ({ value, description })) });
    for (const candidate of candidates) context.out.line(candidate.join('\t'));
    return exitCodes.ok;
  },
});

async function candidatesOf(context: CommandContext, kind: Completion): Promise<Candidate[]> {
  const { client, contexts } = context;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(patienceMs)]);
  switch (kind) {
    case 'cluster':
      return names((await client().call('ListClusters', {}, signal)).clusterArns);
    case 'task': {
      const { tasks } = await client().call('GetTasks', { cluster: context.cluster, limit: most }, signal);
      return tasks.map((task) => [shortId(task), `${revisionOf(task)} ${task.lastStatus}`]);
    }
    case 'family':
      return families(context, signal);
    case 'revision': {
      const wish = compact({ status: 'ACTIVE' as const, sort: 'DESC' as const, maxResults: most });
      const { taskDefinitionArns } = await client().call('ListTaskDefinitions', wish, signal);
      return [...(await families(context, signal)), ...names(taskDefinitionArns)];
    }
    case 'host': {
      const { hosts } = await client().call('GetHosts', { cluster: context.cluster, limit: most }, signal);
      return hosts.map(({ hostName, status }) => [hostName, status]);
    }
    case 'context':
      return [
        ...Object.entries(contexts.read().contexts).map(([name, { endpoint }]): Candidate => [name, endpoint]),
        [localName, 'the cloud on this machine'],
      ];
    case 'file':
      return []; // Shells know files.
  }
}

async function families({ client }: CommandContext, signal: AbortSignal): Promise<Candidate[]> {
  const answer = await client().call('ListTaskDefinitionFamilies', { status: 'ACTIVE', maxResults: most }, signal);
  return answer.families.map((family) => [family]);
}

const names = (arns: readonly string[]): Candidate[] => arns.map((arn) => [arn.slice(arn.lastIndexOf('/') + 1)]);
