/** GantryTaskDefinition: a task definition that CloudFormation registers. A change registers a new revision and deregisters the old. */
import { Annotations, Names, Resource, Stack } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { IGantryCluster } from './cluster.ts';
import type { BoundImage } from './image.ts';
import type { GantryLogging } from './logging.ts';
import { checkDefinition } from './task-definition/check.ts';
import { type GantryTaskDefinitionProps, registrationOf } from './task-definition/props.ts';

/**
 * A task definition, checked at synth by the very rules of the API.
 *
 * @example
 * const web = new GantryTaskDefinition(this, 'Web', {
 *   controlPlane,
 *   containers: [{ name: 'web', image: GantryImage.fromAsset('web'), memory: 128, portMappings: [{ containerPort: 80 }] }],
 * });
 * web.grantRun(deployer, cluster);
 */
export class GantryTaskDefinition extends Resource {
  readonly family: string;
  /** ARN of the revision that the app describes. */
  readonly taskDefinitionArn: string;
  private readonly images: readonly BoundImage[];
  private readonly logs: readonly GantryLogging[];

  constructor(scope: Construct, id: string, props: GantryTaskDefinitionProps) {
    super(scope, id);
    const { controlPlane, containers, cpuArchitecture, clusters = [], removalPolicy } = props;
    this.family = props.family ?? Names.uniqueResourceName(this, { maxLength: 255, allowedSpecialCharacters: '-_' });
    this.images = containers.map(({ image }, index) =>
      image.bind(this, { id: `Image${index + 1}`, ...(cpuArchitecture && { cpuArchitecture }) }),
    );
    this.logs = containers.flatMap(({ logging }) => logging ?? []);
    const definition = registrationOf(
      this.family,
      props,
      this.images.map(({ name }) => name),
    );
    for (const warning of checkDefinition(this, definition))
      Annotations.of(this).addWarningV2(`gantry:${warning.split(':', 1)[0]}`, warning);
    const registration = controlPlane.newCustomResource(this, 'Registration', {
      resourceType: 'Custom::GantryTaskDefinition',
      properties: { Definition: Stack.of(this).toJsonString(definition) },
      ...(removalPolicy && { removalPolicy }),
    });
    this.taskDefinitionArn = registration.getAttString('Arn');
    for (const cluster of clusters) this.grantHosts(cluster);
  }

  /** Allows pulling the images of all containers. */
  grantPull(grantee: iam.IGrantable): void {
    for (const image of this.images) image.grantPull(grantee);
  }

  /** Allows sending the logs of all containers where they go. */
  grantWriteLogs(grantee: iam.IGrantable): void {
    for (const log of this.logs) log.grantWrite(grantee);
  }

  /**
   * Allows running tasks in a cluster, and its hosts to pull the images and to send the logs. What a call runs is in its body, which IAM
   * does not see: who may run this may run every task definition there.
   */
  grantRun(grantee: iam.IGrantable, cluster: IGantryCluster): iam.Grant {
    this.grantHosts(cluster);
    return cluster.grantRunTask(grantee);
  }

  private grantHosts({ hostRole }: IGantryCluster): void {
    this.grantPull(hostRole);
    this.grantWriteLogs(hostRole);
  }
}
