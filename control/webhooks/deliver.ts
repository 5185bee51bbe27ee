/**
 * Sends one webhook what waits for it, in order, until nothing is left, its receiver fails, or the time is over. Holds a lease meanwhile,
 * and writes down what it is about to send: docs/adr/0009 has the reasons.
 */
import { pauseMs, type Webhook, type WebhookDelivery } from '../../core/model/webhook.ts';
import type { ControlDeps } from '../deps.ts';
import { getDelivery, putDelivery } from '../store/webhooks.ts';
import { type Batch, eventsMessage, nextBatch } from './message.ts';
import { openReceiver, type Posted, postTimeoutMs, type Receiver } from './post.ts';
import { secretOf } from './secrets.ts';

/** A little longer than one request and the writing of its end may take. */
const leaseMs = postTimeoutMs + 5000;
/** What was looked through for nothing is not looked through again: written down only now and then, because each is a commit. */
const mostInVain = 100;
const overtakenMs = 1000;

export interface Delivered {
  /** Requests that were accepted. */
  readonly accepted: number;
  /** When there is something to do again (epoch milliseconds). */
  readonly againAt?: number;
}

interface Sender {
  readonly deps: ControlDeps;
  readonly webhook: Webhook;
  readonly receiver: Receiver;
}

/** Begins nothing after `until` (epoch milliseconds). */
export async function deliver(deps: ControlDeps, webhook: Webhook, until: number): Promise<Delivered> {
  const found = await getDelivery(deps.table, webhook.cluster, webhook.id);
  if (found === undefined || found.disabled !== undefined) return { accepted: 0 };
  const notBefore = Math.max(found.leaseUntil, found.nextAttemptAt ?? 0);
  if (notBefore > deps.clock.now()) return { accepted: 0, againAt: notBefore };
  const batch = await nextBatch(deps, webhook, found.cursor, found.sending?.through);
  if (batch.events.length === 0) return skip(deps, found, batch);
  const claimed = await save(deps, found, withNext(deps, found, batch));
  if (claimed === undefined) return { accepted: 0, againAt: deps.clock.now() + overtakenMs };
  using receiver = openReceiver(deps, {
    url: webhook.url,
    secret: await secretOf(deps, webhook),
    addresses: deps.settings.webhookAddresses,
  });
  return await sendAll({ deps, webhook, receiver }, claimed, batch, until);
}

async function sendAll(sender: Sender, claimed: WebhookDelivery, first: Batch, until: number): Promise<Delivered> {
  const { deps, webhook, receiver } = sender;
  let [delivery, batch, accepted]: [WebhookDelivery, Batch, number] = [claimed, first, 0];
  for (;;) {
    const posted = await receiver.post(eventsMessage(deps.realm, webhook, batch));
    if (!posted.delivered && deps.ending?.aborted === true) {
      // Not the receiver's fault: it is sent again by whoever comes next.
      await save(deps, delivery, { ...delivery, leaseUntil: 0 });
      return { accepted };
    }
    if (!posted.delivered) return { ...(await fail(sender, delivery, posted)), accepted };
    accepted += 1;
    const now = deps.clock.now();
    const next = await nextBatch(deps, webhook, batch.through);
    const goesOn = next.events.length > 0 && now < until && deps.ending?.aborted !== true;
    const done = { ...atRest(delivery), cursor: batch.through, lastSuccessAt: now };
    const saved = await save(deps, delivery, goesOn ? withNext(deps, done, next) : done);
    if (saved === undefined) return { accepted, againAt: now + overtakenMs };
    if (!goesOn) return { accepted, ...(next.events.length > 0 ? { againAt: now } : onceSettled(deps, next)) };
    [delivery, batch] = [saved, next];
  }
}

const onceSettled = ({ clock, journal }: ControlDeps, { isUnsettled }: Batch): { againAt?: number } =>
  isUnsettled ? { againAt: clock.now() + journal.settleMs } : {};

/** Nothing of what was looked at is for this webhook; or what was to be sent is forgotten meanwhile. */
async function skip(deps: ControlDeps, found: WebhookDelivery, batch: Batch): Promise<Delivered> {
  const { through, looked } = batch;
  const isForgotten = found.sending !== undefined;
  if (isForgotten)
    deps.log.warn(
      { webhookId: found.id, cluster: found.cluster, through },
      'events were forgotten before a webhook took them',
    );
  if (!isForgotten && looked < mostInVain) return { accepted: 0, ...onceSettled(deps, batch) };
  await save(deps, found, { ...atRest(found), cursor: through });
  return { accepted: 0, againAt: deps.clock.now() };
}

async function fail(
  { deps, webhook }: Sender,
  delivery: WebhookDelivery,
  posted: Posted,
): Promise<{ againAt?: number }> {
  const { log, clock, random } = deps;
  const at = clock.now();
  const { reason, status } = posted;
  const failures = (delivery.sending?.failures ?? 0) + 1;
  const about = { webhookId: webhook.id, cluster: webhook.cluster, failures, status };
  const lastFailure = { at, reason };
  if (status === 410) {
    log.warn(about, 'a webhook is switched off, because its receiver has gone');
    const disabled = { at, reason: 'Its receiver answered 410 Gone.' };
    await save(deps, delivery, { ...atRest(delivery), lastFailure, disabled });
    return {};
  }
  log.info(about, 'a webhook was not accepted; it is tried again');
  const nextAttemptAt = at + pauseMs(failures, random(), posted.retryAfterSeconds);
  const { through = delivery.cursor, since = at } = delivery.sending ?? {};
  const sending = { through, failures, since };
  await save(deps, delivery, { ...atRest(delivery), lastFailure, sending, nextAttemptAt });
  return { againAt: nextAttemptAt };
}

/** The lease, and what is sent under it. */
function withNext({ clock }: ControlDeps, delivery: WebhookDelivery, { through }: Batch): WebhookDelivery {
  const now = clock.now();
  return {
    ...delivery,
    leaseUntil: now + leaseMs,
    sending: delivery.sending ?? { through, failures: 0, since: now },
  };
}

function atRest(found: WebhookDelivery): WebhookDelivery {
  const { sending: _, nextAttemptAt: __, ...delivery } = found;
  return { ...delivery, leaseUntil: 0 };
}

/** Undefined where it was overtaken: another sends, its owner has changed it, or it is deleted. */
async function save(
  { table }: ControlDeps,
  seen: WebhookDelivery,
  next: WebhookDelivery,
): Promise<WebhookDelivery | undefined> {
  const { outcome } = await table.commit([putDelivery(next, seen)], { rereads: true });
  return outcome === 'done' ? { ...next, version: seen.version + 1 } : undefined;
}
