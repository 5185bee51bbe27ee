/** The secrets that sign webhooks, as they are stored: sealed where there is a box, as those of access keys are. */
import type { Webhook } from '../../core/model/webhook.ts';
import type { ControlDeps } from '../deps.ts';

type Deps = Pick<ControlDeps, 'secretBox'>;

const owner = (webhookId: string): string => `webhook/${webhookId}`;

export const storedSecret = (
  { secretBox }: Deps,
  webhookId: string,
  secret: string,
): Pick<Webhook, 'secret' | 'sealedSecret'> =>
  secretBox === undefined ? { secret } : { sealedSecret: secretBox.seal(secret, owner(webhookId)) };

export async function secretOf(
  { secretBox, laterSecretBox }: Pick<ControlDeps, 'secretBox' | 'laterSecretBox'>,
  { id, secret, sealedSecret }: Webhook,
): Promise<string> {
  if (sealedSecret === undefined && secret !== undefined) return secret;
  const box = secretBox ?? (await laterSecretBox?.());
  if (sealedSecret !== undefined && box !== undefined) return box.open(sealedSecret, owner(id));
  throw new Error(`the secret of the webhook ${id} is sealed, and this control plane was given no key to open it`);
}
