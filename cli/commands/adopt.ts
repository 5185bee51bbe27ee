/** `gantry adopt` and `gantry discard`: decide over hosts whose agents do not know the store any more, as after it was put back. */
import { errorTraits } from '../../core/errors.ts';
import { type Command, defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { usage } from '../parse.ts';

interface Decision {
  readonly name: 'adopt' | 'discard';
  readonly summary: string;
  readonly detail: string;
  readonly done: string;
}

const waiting =
  'An agent that is answered from a store which it does not know (it was restored, or put back from a backup) keeps what it runs, ' +
  'takes nothing, and waits: `gantry hosts` shows its host as UNKNOWN_STORE.';
const missing =
  'What the store has of the host and the host has not is over either way: it may have run, and is never started again.';

export const adoptCommand = decisionCommand({
  name: 'adopt',
  summary: 'Let the store take over what hosts run that do not know it',
  detail: 'Tasks that the store does not know become known again, with their ids, as far as the host tells.',
  done: 'is adopted with what it runs, once its agent has handed it over',
});

export const discardCommand = decisionCommand({
  name: 'discard',
  summary: 'Let hosts that do not know the store end what it does not know',
  detail: 'Tasks that the store knows run on; all others are stopped and removed by the host.',
  done: 'ends what this store does not know',
});

function decisionCommand({ name, summary, detail, done }: Decision): Command {
  return defineCommand({
    name,
    summary,
    details: [waiting, `${detail} ${missing}`],
    arguments: [{ name: 'host', summary: 'hosts, by name, id or ARN', variadic: true, completes: ['host'] }],
    options: { all: { type: 'boolean', summary: 'All hosts of the cluster that wait for it' } },
    examples: [`gantry ${name} host-1`, `gantry ${name} --all --cluster web`],
    async run(context, { args, options: { all = false } }) {
      if (all === args.length > 0) throw usage({ name }, 'Name hosts, or give --all.');
      return await decide(context, all ? undefined : args, { name, done });
    },
  });
}

async function decide(
  { client, cluster, out }: CommandContext,
  hosts: readonly string[] | undefined,
  { name, done }: Pick<Decision, 'name' | 'done'>,
): Promise<number> {
  const input = { cluster, decision: name, ...(hosts && { containerInstances: [...hosts] }) };
  const { containerInstances, failures } = await client().call('DecideHosts', input);
  out.data({ hosts: containerInstances, failures });
  for (const { hostName } of containerInstances) out.line(`${hostName} ${done}`);
  for (const { arn, reason, detail } of failures)
    out.note(`${arn?.split('/').at(-1) ?? ''}: ${detail ?? `the cluster ${cluster} has no such host (${reason})`}`);
  if (containerInstances.length === 0 && failures.length === 0) out.note(`No host of ${cluster} waits for it.`);
  if (failures.some(({ reason }) => reason === 'MISSING')) return errorTraits.ResourceNotFoundException.exitCode;
  return failures.length === 0 ? exitCodes.ok : exitCodes.failed;
}
