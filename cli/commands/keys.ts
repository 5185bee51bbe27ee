/**
 * `gantry keys create`, `list` and `revoke`: the keys that ECS clients sign with. A new one is for the cluster that the command names and
 * for what clients do, and its tasks take nothing, unless more is asked for: a key that may do too much is found out too late.
 */

import { allActions } from '../../core/api/operation.ts';
import type { Output as Answer } from '../../core/api/operations.ts';
import { hostAccessKinds } from '../../core/model/rights.ts';
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
    'also-cluster': {
      type: 'string',
      value: 'NAME',
      multiple: true,
      summary: 'A cluster beside the one of --cluster',
      completes: ['cluster'],
    },
    'all-clusters': { type: 'boolean', summary: 'For every cluster, those to come included' },
    role: {
      type: 'string',
      value: 'ARN',
      multiple: true,
      summary: 'An IAM role that its tasks may take, by ARN or name; * stands for any text (default: none)',
    },
    'host-network': { type: 'boolean', summary: "Its tasks may use their host's network (networkMode host)" },
    'host-paths': { type: 'boolean', summary: 'Its tasks may mount paths of their host' },
    privileged: {
      type: 'boolean',
      summary: 'Its tasks may be privileged: devices, capabilities and namespaces of their host',
    },
    'max-waiting': {
      type: 'integer',
      value: 'N',
      min: 0,
      summary: 'So many of its tasks may wait in each cluster (default: any number)',
    },
  },
  examples: [
    'gantry keys create ci --cluster web > ci.env',
    'gantry keys create dashboard --action read --all-clusters',
    "gantry keys create deploy --role 'web-*' --host-network --max-waiting 100",
  ],
  async run(context, { args: [userName = ''], options }) {
    const { client, cluster, out, environmentFor } = context;
    const { action, 'also-cluster': others = [], 'all-clusters': all = false, 'max-waiting': most } = options;
    if (all && others.length > 0)
      throw usage({ name: 'keys create' }, '--all-clusters leaves no cluster for --also-cluster');
    const { accessKey, secretAccessKey } = await client().call('CreateAccessKey', {
      userName,
      actions: allActions.filter((one) => (action ?? usualActions).includes(one)),
      ...(!all && { clusters: [cluster, ...others] }),
      taskRoles: [...(options.role ?? [])],
      hostAccess: hostAccessKinds.filter((kind) => options[kind] === true),
      ...(most !== undefined && { maxWaitingTasks: most }),
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

export const keysRevokeCommand = defineCommand({
  name: 'keys revoke',
  summary: 'Revoke keys; requests signed with them are refused within ten seconds',
  arguments: [{ name: 'key', summary: 'ids of keys', required: true, variadic: true }],
  options: {},
  examples: ['gantry keys revoke GKIA0123456789ABCDEF'],
  async run({ client, out, signal }, { args }) {
    const revoked: string[] = [];
    const codes: number[] = [];
    for (const accessKeyId of args) {
      try {
        await client().call('DeleteAccessKey', { accessKeyId });
        revoked.push(accessKeyId);
        out.line(`${accessKeyId} is revoked`);
      } catch (error) {
        // The others are revoked all the same.
        codes.push(reportError(error, out, signal));
      }
    }
    out.data({ revoked });
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
