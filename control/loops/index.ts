/** All loops. To add one: its file here with `name`, `scope`, `periodSeconds` and `activate`; its name in loop.ts; its line below. */
import { audit } from './audit.ts';
import { buryHosts } from './bury-hosts.ts';
import { buyCapacity } from './buy-capacity.ts';
import { collectGarbage } from './collect-garbage.ts';
import { deliverWebhooks } from './deliver-webhooks.ts';
import { drainHosts } from './drain-hosts.ts';
import { expireWaiting } from './expire-waiting.ts';
import { finishRequests } from './finish-requests.ts';
import { forgetRevisions } from './forget-revisions.ts';
import type { Loop } from './loop.ts';
import { markSilent } from './mark-silent.ts';
import { placePending } from './place-pending.ts';

export const loops: readonly Loop[] = [
  placePending,
  expireWaiting,
  buyCapacity,
  drainHosts,
  finishRequests,
  markSilent,
  buryHosts,
  collectGarbage,
  forgetRevisions,
  audit,
  deliverWebhooks,
];
