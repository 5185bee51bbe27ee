/**
 * `Custom::GantryCapacityProvider`: a capacity provider of one cluster. Its deletion stops what runs under it and waits until all that it
 * has bought is ended, so that what its hosts are made of can be deleted after it.
 */
import { z } from 'zod';
import { dissolveProvider, emptyProvider } from '../../control/capacity/dissolve.ts';
import { reconfigureProvider } from '../../control/capacity/reconfigure.ts';
import { createCapacityProvider } from '../../control/operations/capacity-providers.ts';
import { changeDefaultStrategy } from '../../control/operations/cluster-capacity.ts';
import { getCapacityProvider } from '../../control/store/capacity-providers.ts';
import { GantryError } from '../../core/errors.ts';
import type { CapacityProvider } from '../../core/model/capacity.ts';
import {
  type ProviderConfiguration,
  providerConfigurationSchema,
} from '../../core/model/capacity-provider-configuration.ts';
import { formatList } from '../../core/text.ts';
import { type Made, placeOf, type ResourceContext, type ResourceKind } from './kind.ts';

const propertiesSchema = z.object({
  ClusterName: z.string(),
  ProviderName: z.string(),
  /** What CreateCapacityProvider takes beside names, as JSON text, because CloudFormation makes text of numbers and booleans. */
  Configuration: z.string(),
  /** Whether it is in the cluster's default strategy. */
  IsDefault: z.stringbool(),
});
type Properties = z.infer<typeof propertiesSchema>;

/** Whose a provider is: one of the same name that somebody else has made is left alone. */
const placeTag = 'gantry:resource';
const lookAgainMs = 5_000;
/** Left for the end of instances, after which tasks that do not stop are waited for no longer. */
const endingMs = 3 * 60_000;
const mostNamed = 5;

export const capacityProviderKind: ResourceKind<Properties> = {
  properties: propertiesSchema,
  create: make,
  // Another name or cluster is another provider: the deletion of the former ends its hosts.
  update: make,
  async delete(context, properties, id) {
    const { ClusterName: cluster, ProviderName: name } = properties;
    // One that was never made has another id; a provider of this name is then somebody else's.
    if (id !== idOf(properties)) return;
    const seen = await getCapacityProvider(context.deps.table, name);
    if (seen !== undefined && !isOwn(context, seen, cluster)) return;
    await dissolveProvider(context.deps, { cluster, name });
    await waitForTheEnd(context, { cluster, name });
  },
};

const idOf = ({ ClusterName, ProviderName }: Properties): string => `${ClusterName}/${ProviderName}`;

/** Brings one that is there up to date: CloudFormation may ask for the same again, and its first asking may have come half way. */
async function make(context: ResourceContext, properties: Properties): Promise<Made> {
  const { deps } = context;
  const { ClusterName: cluster, ProviderName: name, IsDefault: isIn } = properties;
  const configuration = configurationOf(properties);
  const seen = await getCapacityProvider(deps.table, name);
  if (seen?.status !== 'ACTIVE') {
    const tags = [{ key: placeTag, value: placeOf(context) }];
    await createCapacityProvider(context, { name, cluster, ...configuration, tags });
  } else if (isOwn(context, seen, cluster)) await reconfigureProvider(deps, name, configuration);
  else
    throw new GantryError(
      'ConflictException',
      `There is a capacity provider ${name} that this resource has not made.`,
      {
        hint: 'Choose another providerName, or delete that one first.',
      },
    );
  await changeDefaultStrategy(deps, cluster, { name, isIn });
  return { id: idOf(properties), attributes: { ProviderName: name } };
}

const isOwn = (context: ResourceContext, { tags, cluster }: CapacityProvider, wanted: string): boolean =>
  cluster === wanted && tags.some(({ key, value }) => key === placeTag && value === placeOf(context));

function configurationOf({ Configuration }: Properties): ProviderConfiguration {
  let json: unknown;
  try {
    json = JSON.parse(Configuration);
  } catch (cause) {
    throw new GantryError('SerializationException', 'Configuration is not JSON.', { field: 'Configuration', cause });
  }
  const parsed = providerConfigurationSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new GantryError('InvalidParameterException', z.prettifyError(parsed.error), { field: 'Configuration' });
}

async function waitForTheEnd(
  { deps, deadline }: ResourceContext,
  provider: { readonly cluster: string; readonly name: string },
): Promise<void> {
  const reason = `The capacity provider ${provider.name} of the host was deleted with its stack.`;
  for (;;) {
    const atOnce = deps.clock.now() + endingMs >= deadline;
    const left = await emptyProvider(deps, provider, { reason, atOnce });
    if (left.length === 0) return;
    if (deps.clock.now() + lookAgainMs >= deadline) throw stillThere(provider.name, left);
    await deps.sleep(lookAgainMs);
  }
}

function stillThere(name: string, left: readonly string[]): GantryError {
  const some = `${formatList(left.slice(0, mostNamed))}${left.length > mostNamed ? ', …' : ''}`;
  return new GantryError(
    'ServiceUnavailableException',
    `The capacity provider ${name} still has what it bought: ${some}.`,
    { hint: "Delete it again: it goes on from there. If they stay, the log of the function 'fleet' says why." },
  );
}
