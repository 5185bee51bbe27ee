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

/** One that cannot be ended holds up no other. Rejects with what was refused. */
export async function terminate(client: EC2Client, ids: readonly string[]): Promise<void> {
  const refusals: unknown[] = [];
  for (let from = 0; from < ids.length; from += mostAtOnce)
    refusals.push(...(await terminateThose(client, ids.slice(from, from + mostAtOnce))));
  const [first] = refusals;
  if (first !== undefined)
    throw new Error(`EC2 has not ended all of ${ids.length}: ${messageOf(first)}`, { cause: first });
}

const absent = new Set(['InvalidInstanceID.NotFound', 'InvalidInstanceID.Malformed']);
/** About one instance: somebody has protected it from being ended, for example. */
const kept = new Set(['IncorrectInstanceState', 'OperationNotPermitted', 'UnsupportedOperation']);

/** EC2 ends all of a request or none: where it refuses, those that it names are left out, or else each half is tried. */
async function terminateThose(client: EC2Client, ids: readonly string[]): Promise<unknown[]> {
  if (ids.length === 0) return [];
  try {
    await client.send(new TerminateInstancesCommand({ InstanceIds: [...ids] }));
    return [];
  } catch (error) {
    const isAbsent = absent.has(codeOf(error));
    if (ids.length === 1) return isAbsent ? [] : [error];
    if (!isAbsent && !kept.has(codeOf(error))) return [error];
    const message = messageOf(error);
    const others = isAbsent ? ids.filter((id) => !message.includes(id)) : ids;
    if (others.length < ids.length) return terminateThose(client, others);
    const half = Math.ceil(ids.length / 2);
    return [...(await terminateThose(client, ids.slice(0, half))), ...(await terminateThose(client, ids.slice(half)))];
  }
}
