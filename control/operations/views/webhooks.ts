/** Webhooks as the API shows them. Pure. */
import type { WebhookView } from '../../../core/api/webhooks.ts';
import { clusterArn, type Realm } from '../../../core/arn.ts';
import { compact } from '../../../core/compact.ts';
import type { Webhook, WebhookDelivery } from '../../../core/model/webhook.ts';
import { writtenAt } from '../../store/event-ids.ts';

const dateOf = (at: number | undefined): Date | undefined => (at === undefined ? undefined : new Date(at));

export function webhookView(realm: Realm, webhook: Webhook, delivery: WebhookDelivery): WebhookView {
  const { id, cluster, url, description, kinds, subject, maxEvents, isPaused, createdAt } = webhook;
  const { cursor, disabled, sending, lastSuccessAt, lastFailure, nextAttemptAt } = delivery;
  return compact({
    webhookId: id,
    clusterArn: clusterArn(realm, cluster),
    url,
    description,
    kind: kinds,
    task: subject?.type === 'task' ? subject.id : undefined,
    host: subject?.type === 'host' ? subject.id : undefined,
    maxEvents,
    status: disabled !== undefined ? ('DISABLED' as const) : isPaused ? ('PAUSED' as const) : ('ACTIVE' as const),
    statusReason: disabled?.reason,
    createdAt: new Date(createdAt),
    deliveredThrough: new Date(writtenAt(cursor)),
    lastSuccessAt: dateOf(lastSuccessAt),
    lastFailureAt: dateOf(lastFailure?.at),
    lastFailureReason: lastFailure?.reason,
    failures: sending?.failures ?? 0,
    nextAttemptAt: dateOf(nextAttemptAt),
  });
}
