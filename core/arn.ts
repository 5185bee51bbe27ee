/**
 * Amazon Resource Names in ECS' long format. Requests may name a resource by ARN, by id or by name; these functions build and take
 * apart. They never decide whether a resource exists.
 */

/** What every ARN of one store shares; fixed when the store is made. */
export interface Realm {
  readonly region: string;
  readonly accountId: string;
}

export type ArnKind = 'cluster' | 'task' | 'container' | 'container-instance' | 'task-definition' | 'capacity-provider';

export interface ParsedArn extends Realm {
  /** `aws`, or that of a region apart, for example `aws-cn`. */
  readonly partition: string;
  readonly kind: ArnKind;
  /** The parts after the kind, for example [cluster, taskId]. */
  readonly path: readonly string[];
}

const arnOf = (realm: Realm, kind: ArnKind, path: string): string =>
  `arn:aws:ecs:${realm.region}:${realm.accountId}:${kind}/${path}`;

export const clusterArn = (realm: Realm, cluster: string): string => arnOf(realm, 'cluster', cluster);

export const taskArn = (realm: Realm, cluster: string, taskId: string): string =>
  arnOf(realm, 'task', `${cluster}/${taskId}`);

export const containerArn = (realm: Realm, cluster: string, taskId: string, containerId: string): string =>
  arnOf(realm, 'container', `${cluster}/${taskId}/${containerId}`);

export const containerInstanceArn = (realm: Realm, cluster: string, hostId: string): string =>
  arnOf(realm, 'container-instance', `${cluster}/${hostId}`);

export const taskDefinitionArn = (realm: Realm, family: string, revision: number): string =>
  arnOf(realm, 'task-definition', `${family}:${revision}`);

export const capacityProviderArn = (realm: Realm, name: string): string => arnOf(realm, 'capacity-provider', name);

const arnPattern =
  /^arn:(aws[a-z-]*):ecs:([a-z0-9-]+):(\d{12}):(cluster|task-definition|task|container-instance|container|capacity-provider)\/(.+)$/;

/** The parts of an ECS ARN, or undefined when the text is not one. */
export function parseArn(text: string): ParsedArn | undefined {
  const match = arnPattern.exec(text);
  if (match === null) return undefined;
  const [, partition = '', region = '', accountId = '', kind = '', path = ''] = match;
  return { partition, region, accountId, kind: kind as ArnKind, path: path.split('/') };
}
