/**
 * `gantry keys create`, `list` and `delete`: the keys that ECS clients sign with. A new one is for the cluster that the command names and
 * for what clients do, unless more is asked for: a key that may do too much is found out too late.
 */

import { allActions } from '../../core/api/operation.ts';
import type { Output as Answer } from '../../core/api/operations.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { firstFailure } from '../exit-code.ts';
import { usage } from '../parse.ts';
import { exportLines } from '../render/environment.ts';
import { keySentence, printKeyTable } from '../render/key-table.ts';
import { reportError } from '../report-error.ts';

const usualActions = ['read', 'run', 'register'] as const;

export const keysCreateCommand = defineCommand({
  name: 'keys create',
  summary: 'Make a key for ECS clients; its secret is printed this once',
  arguments: [{ name: 'user', summary: 'whom requests with it are from, for example ci', required: true }],
  options: {
    action: {
      type: 'string',
      multiple: true,
      choices: allActions,
      summary: `What it may do (default: ${usualActions.join(', ')})`,
    },
    'also-cluster': { type: 'string', value: 'NAME', multiple: true, summary: 'A cluster beside the one of --cluster' },
    'all-clusters': { type: 'boolean', summary: 'For every cluster, those to come included' },
  },
  examples: [
    'gantry keys create ci --cluster web > ci.env',
    'gantry keys create dashboard --action read --all-clusters',
  ],
  async run(context, { args: [userName = ''], options }) {
    const { client, cluster, out, environmentFor } = context;
    const { action, 'also-cluster': others = [], 'all-clusters': all = false } = options;
    if (all && others.length > 0)
      throw usage({ name: 'keys create' }, '--all-clusters leaves no cluster for --also-cluster');
    const { accessKey, secretAccessKey } = await client().call('CreateAccessKey', {
      userName,
      actions: allActions.filter((one) => (action ?? usualActions).includes(one)),
      ...(!all && { clusters: [cluster, ...others] }),
    });
    const environment = environmentFor({ accessKeyId: accessKey.accessKeyId, secretAccessKey });
    out.data({ accessKey, environment });
    for (const line of exportLines(environment)) out.line(line);
    out.note(`Made the key ${keySentence(accessKey)}.`);
    if (environment.AWS_ENDPOINT_URL_ECS === undefined)
      out.note("A client also needs AWS_ENDPOINT_URL_ECS: the stack's output WireEndpoint.");
    return exitCodes.ok;
  },
});

export const keysListCommand = defineCommand({
  name: 'keys list',
  summary: 'Show the keys that there are, without their secrets',
  arguments: [],
  options: {},
  examples: ['gantry keys list', "gantry keys list --json | jq -r '.accessKeys[].accessKeyId'"],
  async run(context) {
    const { out, now } = context;
    const accessKeys = await allKeys(context);
    out.data({ accessKeys });
    if (accessKeys.length > 0) printKeyTable(accessKeys, out, now());
    else out.note('There are no access keys. `gantry keys create USER` makes one.');
    return exitCodes.ok;
  },
});

export const keysDeleteCommand = defineCommand({
  name: 'keys delete',
  summary: 'Delete keys; requests signed with them are refused within ten seconds',
  arguments: [{ name: 'key', summary: 'ids of keys', required: true, variadic: true }],
  options: {},
  examples: ['gantry keys delete GKIA0123456789ABCDEF'],
  async run({ client, out, signal }, { args }) {
    const deleted: string[] = [];
    const codes: number[] = [];
    for (const accessKeyId of args) {
      try {
        await client().call('DeleteAccessKey', { accessKeyId });
        deleted.push(accessKeyId);
        out.line(`${accessKeyId} is deleted`);
      } catch (error) {
        // The others are deleted all the same.
        codes.push(reportError(error, out, signal));
      }
    }
    out.data({ deleted });
    return firstFailure([...codes, exitCodes.ok]);
  },
});

/** The oldest first. */
async function allKeys({ client }: CommandContext): Promise<Answer<'ListAccessKeys'>['accessKeys']> {
  const accessKeys: Answer<'ListAccessKeys'>['accessKeys'] = [];
  let nextToken: string | undefined;
  do {
    const page = await client().call('ListAccessKeys', nextToken === undefined ? {} : { nextToken });
    accessKeys.push(...page.accessKeys);
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return accessKeys.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
}
