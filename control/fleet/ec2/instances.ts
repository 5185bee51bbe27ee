/** Instances that are there: found by their tags, ended by their ids. Launches nothing. */
import {
  type EC2Client,
  type Filter,
  type Instance,
  paginateDescribeInstances,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { fleetTags } from '../../../core/model/fleet-tags.ts';
import type { FleetInstance } from '../fleet.ts';
import { instanceOf } from './answers.ts';
import { codeOf, messageOf } from './errors.ts';

export const instancesOfCluster = (
  client: EC2Client,
  controlPlane: string,
  cluster: string,
): Promise<FleetInstance[]> =>
  find(client, [
    tagged(fleetTags.controlPlane, controlPlane),
    tagged(fleetTags.cluster, cluster),
    { Name: 'instance-state-name', Values: ['pending', 'running', 'shutting-down', 'stopping', 'stopped'] },
  ]);

/** Also those that are ended, which EC2 shows for about an hour. */
export const instancesOfOrder = (client: EC2Client, controlPlane: string, orderId: string): Promise<FleetInstance[]> =>
  find(client, [tagged(fleetTags.controlPlane, controlPlane), tagged(fleetTags.order, orderId)]);

const tagged = (key: string, value: string): Filter => ({ Name: `tag:${key}`, Values: [value] });

async function find(client: EC2Client, Filters: Filter[]): Promise<FleetInstance[]> {
  const found: Instance[] = [];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client, pageSize: 1000 }, { Filters }))
    found.push(...Reservations.flatMap(({ Instances = [] }) => Instances));
  return found.flatMap((instance) => instanceOf(instance, fleetTags.order) ?? []);
}

const mostAtOnce = 100;

/**
 * One that cannot be ended holds up no other. Rejects with what was refused.
 *
 * @param isYoung whether an instance was launched so lately that EC2 may not know it everywhere yet: then it is not ended, but to come
 */
export async function terminate(
  client: EC2Client,
  ids: readonly string[],
  isYoung: (instanceId: string) => boolean,
): Promise<void> {
  const refusals: unknown[] = [];
  for (let from = 0; from < ids.length; from += mostAtOnce)
    refusals.push(...(await terminateThose(client, ids.slice(from, from + mostAtOnce), isYoung)));
  const [first] = refusals;
  if (first !== undefined)
    throw new Error(`EC2 has not ended all of ${ids.length}: ${messageOf(first)}`, { cause: first });
}

const absent = new Set(['InvalidInstanceID.NotFound', 'InvalidInstanceID.Malformed']);
/** About one instance: somebody has protected it from being ended, for example. */
const kept = new Set(['IncorrectInstanceState', 'OperationNotPermitted', 'UnsupportedOperation']);

/** EC2 ends all of a request or none: where it refuses, those that it does not know are left out, or else each half is tried. */
async function terminateThose(
  client: EC2Client,
  ids: readonly string[],
  isYoung: (instanceId: string) => boolean,
): Promise<unknown[]> {
  if (ids.length === 0) return [];
  try {
    await client.send(new TerminateInstancesCommand({ InstanceIds: [...ids] }));
    return [];
  } catch (error) {
    const isAbsent = absent.has(codeOf(error));
    if (!isAbsent && (ids.length === 1 || !kept.has(codeOf(error)))) return [error];
    const message = messageOf(error);
    const gone = isAbsent ? ids.filter((id) => ids.length === 1 || message.includes(id)) : [];
    const others = ids.filter((id) => !gone.includes(id));
    const refusals = gone.some(isYoung) ? [error] : [];
    for (const part of gone.length > 0 ? [others] : halves(others))
      refusals.push(...(await terminateThose(client, part, isYoung)));
    return refusals;
  }
}

function halves(ids: readonly string[]): (readonly string[])[] {
  const half = Math.ceil(ids.length / 2);
  return [ids.slice(0, half), ids.slice(half)];
}
