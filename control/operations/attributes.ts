/** PutAttributes, DeleteAttributes, ListAttributes. Each call is one commit: all of its attributes are changed, or none. */
import { z } from 'zod';
import type { AttributeInput } from '../../core/api/attributes.ts';
import type { Output } from '../../core/api/operations.ts';
import { containerInstanceArn } from '../../core/arn.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { namePattern } from '../../core/model/cluster.ts';
import { checkLength, firstDouble, parameterFault } from '../../core/model/faults.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import {
  type AttributesOfHost,
  checkAttribute,
  deleteAttribute,
  mostPutAttributes,
  putAttribute,
} from '../../core/model/host-attributes.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { replaceAttributes } from '../store/host-attributes.ts';
import { getHostCapacities, getHostCapacity, hostsInOrder } from '../store/hosts.ts';
import type { Handlers } from './context.ts';
import { hostIdMeant } from './host-references.ts';
import { decodeToken, nextTokenOf, pageSize, takePage } from './paging.ts';
import { activeClusterName } from './references.ts';

type View = Output<'ListAttributes'>['attributes'][number];

export const putAttributes: Handlers['PutAttributes'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const changed = await change(deps, cluster, input.attributes, putOn);
  return { attributes: changed.map(({ hostId, name, value }) => attributeView(deps, cluster, hostId, name, value)) };
};

export const deleteAttributes: Handlers['DeleteAttributes'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const changed = await change(deps, cluster, input.attributes, deleteFrom);
  return { attributes: changed.map(({ hostId, name, value }) => attributeView(deps, cluster, hostId, name, value)) };
};

/** ECS answers no value where there is none. */
const attributeView = ({ realm }: ControlDeps, cluster: string, hostId: string, name: string, value = ''): View =>
  compact({
    name,
    value: value === '' ? undefined : value,
    targetId: containerInstanceArn(realm, cluster, hostId),
  });

interface Wish extends Pick<AttributeInput, 'name' | 'value'> {
  readonly hostId: string;
  /** Of the request's member. */
  readonly path: string;
}

type Apply = (host: AttributesOfHost, wish: Wish) => AttributesOfHost;

const reportedItself = ({ name, path }: Wish): GantryError =>
  parameterFault(
    `${path}.name`,
    `${path}.name: the host reports the attribute ${name} itself.`,
    "Change it in the configuration of the host's agent.",
  );

function putOn(host: AttributesOfHost, wish: Wish): AttributesOfHost {
  const next = putAttribute(host, wish.name, wish.value ?? '');
  if (next === undefined) throw reportedItself(wish);
  if ((next.putAttributes ?? []).length <= mostPutAttributes) return next;
  throw new GantryError(
    'AttributeLimitExceededException',
    `You can apply up to ${mostPutAttributes} custom attributes for each resource.`,
    { field: wish.path, hint: 'DeleteAttributes takes others away.' },
  );
}

function deleteFrom(host: AttributesOfHost, wish: Wish): AttributesOfHost {
  const next = deleteAttribute(host, wish.name);
  if (next === undefined) throw reportedItself(wish);
  return next;
}

/** Repeats it until nobody was quicker: what others put at the same time stays. */
async function change(
  deps: ControlDeps,
  cluster: string,
  attributes: readonly AttributeInput[],
  apply: Apply,
): Promise<readonly Wish[]> {
  const wishes = await wishesOf(deps, cluster, attributes);
  await attempt(deps, { most: 20, what: 'the attributes of a host' }, async () => {
    const hosts = new Map(
      (await getHostCapacities(deps.table, cluster, [...new Set(wishes.map(({ hostId }) => hostId))])).map((host) => [
        host.hostId,
        host,
      ]),
    );
    const changed = new Map<HostCapacity, AttributesOfHost>();
    for (const wish of wishes) {
      const host = hosts.get(wish.hostId);
      if (host === undefined || host.status === 'INACTIVE') throw targetNotFound(wish.path);
      changed.set(host, apply(changed.get(host) ?? host, wish));
    }
    const { outcome } = await deps.table.commit([...changed].map(([seen, next]) => replaceAttributes(seen, next)));
    if (outcome !== 'done') return undefined;
    for (const [{ attributesVersion = 0, ...host }, next] of changed)
      deps.capacity.learned({ ...host, ...next, attributesVersion: attributesVersion + 1 });
    return true;
  });
  deps.activate('place-pending', cluster);
  return wishes;
}

async function wishesOf(
  deps: ControlDeps,
  cluster: string,
  attributes: readonly AttributeInput[],
): Promise<readonly Wish[]> {
  checkLength(parameterFault, 'attributes', attributes, [1, mostPutAttributes]);
  const wishes: Wish[] = [];
  for (const [index, { name, value, targetType, targetId }] of attributes.entries()) {
    const path = `attributes[${index}]`;
    checkAttribute(path, name, value);
    checkTargetType(`${path}.targetType`, targetType);
    if (targetId === undefined)
      throw parameterFault(`${path}.targetId`, `${path}.targetId is missing.`, 'Name a host.');
    const hostId = await hostIdMeant(deps, cluster, targetId, `${path}.targetId`);
    if (hostId === undefined) throw targetNotFound(path);
    wishes.push(compact({ name, value, hostId, path }));
  }
  const double = firstDouble(wishes, ({ name, hostId }) => `${hostId}/${name}`);
  if (double === undefined) return wishes;
  throw parameterFault(double.item.path, `The attribute ${double.item.name} is given twice for one host.`);
}

function checkTargetType(field: string, targetType: string | undefined): void {
  if (targetType === undefined || targetType === 'container-instance') return;
  throw parameterFault(field, `${field} must be container-instance; it is "${targetType}".`);
}

const targetNotFound = (path: string): GantryError =>
  new GantryError('TargetNotFoundException', 'The specified target was not found.', {
    field: `${path}.targetId`,
    hint: 'ListContainerInstances shows which hosts the cluster has.',
  });

const positionSchema = z.object({ hostId: z.string().regex(namePattern), name: z.string() });
type Position = z.infer<typeof positionSchema>;

export const listAttributes: Handlers['ListAttributes'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const size = pageSize(input.maxResults, 'maxResults');
  checkTargetType('targetType', input.targetType);
  const { attributeName, attributeValue, nextToken } = input;
  if (attributeValue !== undefined && attributeName === undefined)
    throw parameterFault('attributeValue', 'attributeValue needs attributeName.', 'Name the attribute too.');
  const after = nextToken === undefined ? undefined : decodeToken(positionSchema, nextToken);
  const matches = ([name, value]: readonly [string, string]): boolean =>
    (attributeName === undefined || name === attributeName) &&
    (attributeValue === undefined || value === attributeValue);
  const { taken, resumeAfter } = await takePage(attributesInOrder(deps, cluster, matches, after), size);
  return { attributes: taken, ...nextTokenOf(resumeAfter) };
};

/** By host, then by name. */
async function* attributesInOrder(
  deps: ControlDeps,
  cluster: string,
  matches: (attribute: readonly [string, string]) => boolean,
  after: Position | undefined,
): AsyncGenerator<{ position: Position; entry: View }, undefined> {
  const shown = ({ hostId, status, attributes }: HostCapacity, afterName = '') =>
    Object.entries(attributes)
      .filter((attribute) => status !== 'INACTIVE' && attribute[0] > afterName && matches(attribute))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({
        position: { hostId, name },
        entry: attributeView(deps, cluster, hostId, name, value),
      }));
  const begun = after === undefined ? undefined : await getHostCapacity(deps.table, cluster, after.hostId);
  if (begun !== undefined) yield* shown(begun, after?.name);
  const others = after === undefined ? {} : { after: after.hostId };
  for await (const { entry } of hostsInOrder(deps.table, cluster, { ...others, pageSize: 100 })) yield* shown(entry);
}
