/**
 * The release of the agent that a cluster's hosts run: the archive as an asset in S3, and the SSM parameter that names it. Hosts follow
 * the parameter, so a new release reaches them where they are.
 */
import { AssetHashType } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { bundlePath } from '../bundles.ts';
import { agentArchive } from './agent-archive.ts';
import { cacheDirectory } from './cache.ts';
import { type HostArchitecture, nodeBinary, nodePackages } from './node-binary.ts';

export class AgentRelease extends Construct {
  readonly assetBucket: string;
  readonly parameterName: string;
  private readonly asset: Asset;
  private readonly parameter: ssm.StringParameter;

  constructor(scope: Construct, id: string, architecture: HostArchitecture) {
    super(scope, id);
    const cache = cacheDirectory();
    const { path, sha256 } = agentArchive({
      directory: bundlePath(this, 'agent'),
      node: nodeBinary(nodePackages[architecture], cache),
      cache,
    });
    this.asset = new Asset(this, 'Archive', { path, assetHash: sha256, assetHashType: AssetHashType.CUSTOM });
    this.assetBucket = this.asset.s3BucketName;
    this.parameter = new ssm.StringParameter(this, 'Release', {
      description: `Gantry: the release of the agent that hosts (${architecture}) run, as its key among the assets and its SHA-256.`,
      stringValue: `${this.asset.s3ObjectKey} ${sha256}`,
    });
    this.parameterName = this.parameter.parameterName;
  }

  /** Allows reading which release it is, and fetching that one alone. */
  grantRead(role: iam.IRole): void {
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions: ['ssm:GetParameter'], resources: [this.parameter.parameterArn] }),
    );
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [this.asset.bucket.arnForObjects(this.asset.s3ObjectKey)],
      }),
    );
  }
}
