/** What hosts themselves say of their images, and which hosts could not be asked. */
import type { Output as Answer } from '../../core/api/operations.ts';
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { GantryError } from '../../core/errors.ts';
import type { CommandContext } from '../context.ts';

export type HeldImage = Answer<'GetHostImages'>['images'][number];

export interface HeldByHost {
  readonly host: string;
  readonly images: readonly HeldImage[];
}

export interface Silence {
  readonly host: string;
  readonly why: string;
}

/** Asked at once; a few seconds of one that is silent are not those of all. */
export async function askHosts(
  { client, cluster, signal }: CommandContext,
  hosts: readonly ContainerInstanceView[],
): Promise<{ readonly held: readonly HeldByHost[]; readonly silent: readonly Silence[] }> {
  const held: HeldByHost[] = [];
  const silent: Silence[] = [];
  await Promise.all(
    hosts.map(async ({ hostName: host, containerInstanceArn }) => {
      try {
        const wish = { cluster, host: containerInstanceArn };
        held.push({ host, images: (await client().call('GetHostImages', wish, signal)).images });
      } catch (error) {
        if (!(error instanceof GantryError) || !canPass(error)) throw error;
        silent.push({ host, why: error.message });
      }
    }),
  );
  return { held, silent };
}

/** What tasks have reported is worth seeing without it. */
const canPass = ({ code }: GantryError): boolean =>
  code === 'ServiceUnavailableException' || code === 'UnsupportedFeatureException';
