/** `gantry webhooks create`, `list`, `test`, `pause`, `resume` and `delete`: where the events of a cluster are sent. */
import type { WebhookView } from '../../core/api/webhooks.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { eventKinds } from '../../core/model/event.ts';
import { mostEventsARequest } from '../../core/model/webhook.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { printWebhookTable, shortId } from '../render/webhook-table.ts';
import { momentNamed } from '../since.ts';

const webhookArgument = [{ name: 'webhook', summary: 'its id, or the beginning of it', required: true }] as const;

export const webhooksCreateCommand = defineCommand({
  name: 'webhooks create',
  summary: "Have the cluster's events sent to an address; the secret that signs them is printed this once",
  arguments: [{ name: 'url', summary: 'where to, for example https://example.com/gantry', required: true }],
  options: {
    kind: { type: 'string', value: 'KIND', multiple: true, choices: eventKinds, summary: 'Only events of this kind' },
    task: { type: 'string', value: 'ID', completes: ['task'], summary: 'Only what happens to this task (id or ARN)' },
    host: {
      type: 'string',
      value: 'HOST',
      completes: ['host'],
      summary: 'Only what happens to this host itself (name, id or ARN)',
    },
    since: {
      type: 'string',
      value: 'WHEN',
      summary: 'Also what happened since: 90s, 15m, 2h, 3d, or a time in RFC 3339',
    },
    'max-events': {
      type: 'integer',
      value: 'N',
      min: 1,
      max: mostEventsARequest,
      summary: `The most events of one request (default: ${mostEventsARequest})`,
    },
    description: { type: 'string', value: 'TEXT', summary: 'What it is for' },
  },
  examples: ['gantry webhooks create https://example.com/gantry --kind task --kind refusal'],
  async run({ client, cluster, out, now }, { args: [url = ''], options }) {
    const { kind, task, host, since, description, 'max-events': maxEvents } = options;
    const kinds = kind && eventKinds.filter((one) => kind.includes(one));
    const from = since === undefined ? undefined : momentNamed(since, now()).toISOString();
    const wish = { cluster, url, kind: kinds, task, host, since: from, description, maxEvents };
    const { webhook, secret } = await client().call('CreateWebhook', compact(wish));
    out.data({ webhook, secret });
    out.line(secret);
    out.note(`Made the webhook ${shortId(webhook)} of the cluster ${cluster}; the line above signs what it is sent.`);
    out.note(`\`gantry webhooks test ${shortId(webhook)}\` tries it.`);
    return exitCodes.ok;
  },
});

export const webhooksListCommand = defineCommand({
  name: 'webhooks list',
  summary: 'Show the webhooks of the cluster and how their deliveries fare',
  arguments: [],
  options: {},
  examples: ['gantry webhooks list', "gantry webhooks list --json | jq '.webhooks[] | select(.failures > 0)'"],
  async run({ client, cluster, out, now }) {
    const { webhooks } = await client().call('ListWebhooks', { cluster });
    out.data({ webhooks });
    if (webhooks.length > 0) printWebhookTable(webhooks, out, now());
    else out.note(`The cluster ${cluster} has no webhooks. \`gantry webhooks create URL\` makes one.`);
    return exitCodes.ok;
  },
});

export const webhooksTestCommand = defineCommand({
  name: 'webhooks test',
  summary: 'Send a webhook a signed message without events and say what became of it',
  arguments: webhookArgument,
  options: {},
  examples: ['gantry webhooks test 5f0c'],
  async run(context, { args: [reference = ''] }) {
    const { client, cluster, out } = context;
    const webhook = await findWebhook(context, reference);
    const tested = await client().call('TestWebhook', { cluster, webhook: webhook.webhookId });
    out.data(tested);
    const took = `after ${Math.round(tested.durationMs)} ms`;
    if (tested.delivered) out.line(`${webhook.url} took it: ${tested.reason} ${took}`);
    else out.note(`${webhook.url} did not take it: ${tested.reason} (${took})`);
    return tested.delivered ? exitCodes.ok : exitCodes.failed;
  },
});

export const webhooksPauseCommand = defineCommand({
  name: 'webhooks pause',
  summary: 'Send a webhook nothing for the time being; its events wait as long as events are kept',
  arguments: webhookArgument,
  options: {},
  examples: ['gantry webhooks pause 5f0c'],
  run: (context, { args: [reference = ''] }) => update(context, reference, { status: 'PAUSED' }, 'is paused'),
});

export const webhooksResumeCommand = defineCommand({
  name: 'webhooks resume',
  summary: 'Send a webhook what waits for it, at once: one that is paused, was switched off by 410, or has failed',
  arguments: webhookArgument,
  options: { 'skip-waiting': { type: 'boolean', summary: 'Drop what waits, and go on with what happens from now on' } },
  examples: ['gantry webhooks resume 5f0c', 'gantry webhooks resume 5f0c --skip-waiting'],
  run: (context, { args: [reference = ''], options }) =>
    update(context, reference, { status: 'ACTIVE', skipWaiting: options['skip-waiting'] ?? false }, 'goes on'),
});

export const webhooksDeleteCommand = defineCommand({
  name: 'webhooks delete',
  summary: 'Delete a webhook and forget what waits for it',
  arguments: webhookArgument,
  options: {},
  examples: ['gantry webhooks delete 5f0c'],
  async run(context, { args: [reference = ''] }) {
    const { client, cluster, out } = context;
    const { webhookId, url } = await findWebhook(context, reference);
    await client().call('DeleteWebhook', { cluster, webhook: webhookId });
    out.data({ deleted: webhookId });
    out.line(`The webhook to ${url} is deleted`);
    return exitCodes.ok;
  },
});

async function update(
  context: CommandContext,
  reference: string,
  changes: { readonly status: 'ACTIVE' | 'PAUSED'; readonly skipWaiting?: boolean },
  done: string,
): Promise<number> {
  const { client, cluster, out } = context;
  const { webhookId } = await findWebhook(context, reference);
  const { webhook } = await client().call('UpdateWebhook', { cluster, webhook: webhookId, ...changes });
  out.data({ webhook });
  out.line(`The webhook to ${webhook.url} ${done}`);
  return exitCodes.ok;
}

/** Throws ResourceNotFoundException where none or several are meant. */
async function findWebhook({ client, cluster }: CommandContext, reference: string): Promise<WebhookView> {
  const { webhooks } = await client().call('ListWebhooks', { cluster });
  const [found, ...others] = webhooks.filter(({ webhookId }) => webhookId.startsWith(reference));
  if (found !== undefined && others.length === 0) return found;
  const count = found === undefined ? 'no webhook' : 'several webhooks';
  throw new GantryError(
    'ResourceNotFoundException',
    `The cluster ${cluster} has ${count} whose id begins with ${reference}.`,
    {
      hint: '`gantry webhooks list` shows them.',
    },
  );
}
