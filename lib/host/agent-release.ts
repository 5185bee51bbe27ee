/**
 * The release of the agent that a cluster's hosts run: the archive as an asset in S3, and the SSM parameter that names it. Hosts follow
 * the parameter, so a new release reaches them where they are.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AssetHashType, Stage } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { bundlePath } from '../bundles.ts';
import { agentArchive } from './agent-archive.ts';
import { cacheDirectory } from './cache.ts';
import { type HostArchitecture, nodeBinary, nodeContext, nodePackages } from './node-binary.ts';

export class AgentRelease extends Construct {
  readonly assetBucket: string;
  readonly parameterName: string;
  private readonly asset: Asset;
  private readonly parameter: ssm.StringParameter;

  constructor(scope: Construct, id: string, architecture: HostArchitecture) {
    super(scope, id);
    const { path, sha256 } = archiveFor(this, architecture);
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

interface ArchiveFile {
  readonly path: string;
  readonly sha256: string;
}

/** By path: clusters of one app share the archive. */
const written = new Map<string, ArchiveFile>();

/** The archive as a file in the assembly, where everything is that a deployment publishes. */
function archiveFor(scope: Construct, architecture: HostArchitecture): ArchiveFile {
  const assembly = Stage.of(scope)?.assetOutdir ?? '';
  const path = join(assembly, `gantry-agent-${architecture}.tar.gz`);
  const known = written.get(path);
  if (known !== undefined && existsSync(path)) return known;
  const cache = cacheDirectory();
  const wanted = nodePackages[architecture];
  const given: unknown = scope.node.tryGetContext(nodeContext(wanted));
  const node = typeof given === 'string' ? given : nodeBinary(wanted, cache);
  const { content, sha256 } = agentArchive({ directory: bundlePath(scope, 'agent'), node, cache });
  writeFileSync(path, content);
  written.set(path, { path, sha256 });
  return { path, sha256 };
}
