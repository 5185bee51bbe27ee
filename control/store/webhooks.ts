/** Access paths of webhooks and of their deliveries: two items each, because two write them. docs/adr/0009. */
import { type Webhook, type WebhookDelivery, webhookDeliverySchema, webhookSchema } from '../../core/model/webhook.ts';
import { itemOf, parseItem, parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Change, ReadOptions, Table } from './table.ts';

/** In the order of their ids. */
export const clusterWebhooks = async (table: Table, cluster: string, options: ReadOptions = {}): Promise<Webhook[]> =>
  (await queryAll(table, partitions.webhooks(cluster), options)).map((item) => parseItem(webhookSchema, item));

export const clusterDeliveries = async (table: Table, cluster: string): Promise<WebhookDelivery[]> =>
  (await queryAll(table, partitions.webhookDeliveries(cluster))).map((item) => parseItem(webhookDeliverySchema, item));

export const getWebhook = async (table: Table, cluster: string, id: string): Promise<Webhook | undefined> =>
  parseOptional(webhookSchema, await table.get(keys.webhook(cluster, id)));

export const getDelivery = async (table: Table, cluster: string, id: string): Promise<WebhookDelivery | undefined> =>
  parseOptional(webhookDeliverySchema, await table.get(keys.webhookDelivery(cluster, id)));

export const addWebhook = (webhook: Webhook, delivery: WebhookDelivery): Change[] => [
  { kind: 'put', item: webhookItem(webhook), when: [{ item: 'absent' }] },
  { kind: 'put', item: deliveryItem(delivery), when: [{ item: 'absent' }] },
];

/** Refused where it was deleted since. */
export const changeWebhook = (webhook: Webhook): Change => ({
  kind: 'put',
  item: webhookItem(webhook),
  when: [{ item: 'exists' }],
});

/** Refused where another has written since `seen`, or it is deleted. */
export const putDelivery = (next: Omit<WebhookDelivery, 'version'>, seen: WebhookDelivery): Change => ({
  kind: 'put',
  item: deliveryItem({ ...next, version: seen.version + 1 }),
  when: [{ path: ['version'], is: '=', value: seen.version }],
});

/** Refused where there is none. */
export const removeWebhook = (cluster: string, id: string): Change[] => [
  { kind: 'delete', key: keys.webhook(cluster, id), when: [{ item: 'exists' }] },
  { kind: 'delete', key: keys.webhookDelivery(cluster, id), when: [] },
];

const webhookItem = (webhook: Webhook) => itemOf(keys.webhook(webhook.cluster, webhook.id), webhook);
const deliveryItem = (delivery: WebhookDelivery) =>
  itemOf(keys.webhookDelivery(delivery.cluster, delivery.id), delivery);
