/** CreateWebhook, ListWebhooks, GetWebhook, UpdateWebhook, TestWebhook, DeleteWebhook. What sends them is the loop deliver-webhooks. */
import type { Input } from '../../core/api/operations.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { parameterFault } from '../../core/model/faults.ts';
import { mostEventsARequest, mostWebhooks, type Webhook, type WebhookDelivery } from '../../core/model/webhook.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { noJournal } from '../events/look.ts';
import { beginningOf } from '../store/event-ids.ts';
import * as store from '../store/webhooks.ts';
import { webhookUrl } from '../webhooks/addresses.ts';
import { nextBatch, testMessage } from '../webhooks/message.ts';
import { openReceiver } from '../webhooks/post.ts';
import { secretOf, storedSecret } from '../webhooks/secrets.ts';
import { newWebhookSecret } from '../webhooks/signature.ts';
import type { Handlers } from './context.ts';
import { knownClusterName } from './known-cluster.ts';
import { activeClusterName } from './references.ts';
import { subjectNamed } from './subjects.ts';
import { webhookView } from './views/webhooks.ts';

export const createWebhook: Handlers['CreateWebhook'] = async ({ deps }, input) => {
  if (!deps.journal.isKept) throw noJournal();
  const cluster = await activeClusterName(deps, input.cluster);
  const { url, description, kind, maxEvents = mostEventsARequest, since } = input;
  checkMembers(deps, input);
  const subject = await subjectNamed(deps, cluster, input);
  if ((await store.clusterWebhooks(deps.table, cluster)).length >= mostWebhooks)
    throw new GantryError('LimitExceededException', `The cluster ${cluster} has ${mostWebhooks} webhooks already.`, {
      hint: 'Delete one, or let one receiver pass events on.',
    });
  const [id, createdAt] = [deps.newId(), deps.clock.now()];
  const secret = newWebhookSecret(deps.newId);
  const named = { id, cluster, url, description, kinds: kindsOf(kind), subject, maxEvents, createdAt };
  const webhook: Webhook = compact({ ...named, isPaused: false, ...storedSecret(deps, id, secret) });
  const cursor = beginningOf(since === undefined ? createdAt : Date.parse(since));
  const delivery: WebhookDelivery = { id, cluster, version: 0, cursor, leaseUntil: 0 };
  const { outcome } = await deps.table.commit(store.addWebhook(webhook, delivery));
  if (outcome !== 'done') throw new Error('the id of a new webhook is taken');
  deps.log.info({ webhookId: id, cluster }, 'a webhook was made');
  if (since !== undefined) deps.activate('deliver-webhooks', cluster);
  return { webhook: webhookView(deps.realm, webhook, delivery), secret };
};

function checkMembers(
  { settings }: ControlDeps,
  { url, description, maxEvents = 1 }: Pick<Input<'UpdateWebhook'>, 'url' | 'description' | 'maxEvents'>,
): void {
  if (url !== undefined) webhookUrl(url, settings.webhookAddresses);
  if (description !== undefined && description.length > 255)
    throw parameterFault('description', 'description may have at most 255 characters.');
  if (maxEvents < 1 || maxEvents > mostEventsARequest)
    throw parameterFault('maxEvents', `maxEvents must be between 1 and ${mostEventsARequest}.`);
}

/** None is as good as all: a webhook that hears of nothing is of no use. */
const kindsOf = (kind: Input<'CreateWebhook'>['kind']): Webhook['kinds'] =>
  kind === undefined || kind.length === 0 ? undefined : [...new Set(kind)];

export const listWebhooks: Handlers['ListWebhooks'] = async ({ deps }, input) => {
  const { table, realm } = deps;
  const cluster = await knownClusterName(deps, input.cluster);
  const [webhooks, deliveries] = await Promise.all([
    store.clusterWebhooks(table, cluster),
    store.clusterDeliveries(table, cluster),
  ]);
  const byId = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  return {
    webhooks: webhooks.toSorted(byAge).flatMap((webhook) => {
      const delivery = byId.get(webhook.id);
      return delivery === undefined ? [] : webhookView(realm, webhook, delivery);
    }),
  };
};

/** The oldest first. */
const byAge = (a: Webhook, b: Webhook): number => a.createdAt - b.createdAt;

export const getWebhook: Handlers['GetWebhook'] = async ({ deps }, input) => {
  const { webhook, delivery } = await webhookMeant(deps, input);
  const { events } = await nextBatch(deps, { ...webhook, maxEvents: mostEventsARequest }, delivery.cursor);
  const first = events[0];
  return {
    webhook: {
      ...webhookView(deps.realm, webhook, delivery),
      waitingEvents: events.length,
      ...(first !== undefined && { waitingSince: new Date(first.at) }),
    },
  };
};

export const updateWebhook: Handlers['UpdateWebhook'] = async ({ deps }, input) => {
  checkMembers(deps, input);
  const updated = await attempt(deps, { most: 10, what: 'the webhook' }, async () => {
    const found = await webhookMeant(deps, input);
    const webhook = changed(found.webhook, input);
    const delivery = startedAnew(deps, found.delivery, input);
    const changes = [store.changeWebhook(webhook), store.putDelivery(delivery, found.delivery)];
    return (await deps.table.commit(changes)).outcome === 'done' ? { webhook, delivery } : undefined;
  });
  deps.activate('deliver-webhooks', updated.webhook.cluster);
  return { webhook: webhookView(deps.realm, updated.webhook, updated.delivery) };
};

function changed(webhook: Webhook, { url, description, kind, maxEvents, status }: Input<'UpdateWebhook'>): Webhook {
  return compact({
    ...webhook,
    url: url ?? webhook.url,
    description: description ?? webhook.description,
    kinds: kind === undefined ? webhook.kinds : kindsOf(kind),
    maxEvents: maxEvents ?? webhook.maxEvents,
    isPaused: status === undefined ? webhook.isPaused : status === 'PAUSED',
  });
}

/** What was being sent is put together anew, and whoever sends it now finds out that it was overtaken. */
function startedAnew(
  { clock }: ControlDeps,
  found: WebhookDelivery,
  { status, skipWaiting }: Input<'UpdateWebhook'>,
): WebhookDelivery {
  const { sending: _, nextAttemptAt: __, disabled, ...delivery } = found;
  return {
    ...delivery,
    ...(disabled !== undefined && status !== 'ACTIVE' && { disabled }),
    ...(skipWaiting === true && { cursor: beginningOf(clock.now()) }),
  };
}

export const testWebhook: Handlers['TestWebhook'] = async ({ deps }, input) => {
  const { webhook } = await webhookMeant(deps, input);
  using receiver = openReceiver(deps, {
    url: webhook.url,
    secret: await secretOf(deps, webhook),
    addresses: deps.settings.webhookAddresses,
  });
  const message = testMessage(deps.realm, webhook, { id: deps.newId(), at: deps.clock.now() });
  const { delivered, status, reason, durationMs } = await receiver.post(message);
  return compact({ delivered, status, reason, durationMs });
};

export const deleteWebhook: Handlers['DeleteWebhook'] = async ({ deps }, input) => {
  const { webhook } = await webhookMeant(deps, input);
  const { outcome } = await deps.table.commit(store.removeWebhook(webhook.cluster, webhook.id));
  if (outcome !== 'done') throw noWebhook(input.webhook);
  deps.log.info({ webhookId: webhook.id, cluster: webhook.cluster }, 'a webhook was deleted');
  return {};
};

async function webhookMeant(
  deps: ControlDeps,
  { cluster: reference, webhook: id }: { readonly cluster?: string | undefined; readonly webhook: string },
): Promise<{ readonly webhook: Webhook; readonly delivery: WebhookDelivery }> {
  const cluster = await knownClusterName(deps, reference);
  if (!/^[0-9a-f]{32}$/.test(id)) throw noWebhook(id);
  const [webhook, delivery] = await Promise.all([
    store.getWebhook(deps.table, cluster, id),
    store.getDelivery(deps.table, cluster, id),
  ]);
  if (webhook === undefined || delivery === undefined) throw noWebhook(id);
  return { webhook, delivery };
}

const noWebhook = (id: string): GantryError =>
  new GantryError('ResourceNotFoundException', `There is no webhook ${id} in the cluster.`, {
    field: 'webhook',
    hint: 'ListWebhooks shows which there are.',
  });
