/** Webhooks in cells: where to, what of, and how their deliveries fare. */
import type { WebhookView } from '../../core/api/webhooks.ts';
import type { Output } from '../output.ts';
import { oneLine } from './text.ts';
import { formatMoment } from './time.ts';

export const shortId = ({ webhookId }: WebhookView): string => webhookId.slice(0, 8);

export function printWebhookTable(webhooks: readonly WebhookView[], out: Output, now: number): void {
  const moment = (at: Date): string => formatMoment(at, { terminal: out.terminal, now });
  out.table(
    ['WEBHOOK', 'URL', 'EVENTS', 'STATUS', 'LAST SUCCESS', 'STATE'],
    webhooks.map((webhook) => [
      shortId(webhook),
      oneLine(webhook.url),
      eventsCell(webhook),
      webhook.status,
      webhook.lastSuccessAt === undefined ? '-' : moment(webhook.lastSuccessAt),
      stateOf(webhook, moment),
    ]),
  );
}

function eventsCell({ kind, task, host }: WebhookView): string {
  const subject = task === undefined ? host && `of host ${host.slice(0, 8)}` : `of task ${task.slice(0, 8)}`;
  return [kind?.join(' ') ?? 'all', ...(subject === undefined ? [] : [subject])].join(' ');
}

function stateOf(
  { failures, lastFailureReason, lastFailureAt, statusReason }: WebhookView,
  moment: (at: Date) => string,
): string {
  if (statusReason !== undefined) return statusReason;
  if (failures === 0) return '-';
  const last = lastFailureAt === undefined ? '' : `, last ${moment(lastFailureAt)}`;
  return oneLine(
    `in vain ${failures === 1 ? 'once' : `${failures} times`}${last}: ${lastFailureReason ?? 'nobody knows why'}`,
  );
}
