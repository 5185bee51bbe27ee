/** Where a container's image comes from, and who is allowed to pull it. */
import type * as ecr from 'aws-cdk-lib/aws-ecr';
import { DockerImageAsset, type DockerImageAssetOptions, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

export interface BoundImage {
  /** As the API takes it: `repository[:tag]` or `repository@digest`. */
  readonly name: string;
  /** Lets somebody pull it. */
  grantPull(grantee: iam.IGrantable): void;
}

/** What is known of the container where the image is used. */
export interface ImageUse {
  /** Id for constructs of the image. */
  readonly id: string;
  /** That of the task definition, if it names one. */
  readonly cpuArchitecture?: 'X86_64' | 'ARM64';
}

/** A container's image. */
export abstract class GantryImage {
  /** From a registry that asks for no credentials, for example `public.ecr.aws/docker/library/busybox:1`. */
  static fromRegistry(name: string): GantryImage {
    return new BoundAlready({ name, grantPull: () => {} });
  }

  /** From a repository of ECR. */
  static fromEcrRepository(repository: ecr.IRepository, tagOrDigest = 'latest'): GantryImage {
    return new BoundAlready({
      name: repository.repositoryUriForTagOrDigest(tagOrDigest),
      grantPull: (grantee) => repository.grantPull(grantee),
    });
  }

  /**
   * Built from a directory with a Dockerfile and pushed when the app is deployed; synth needs no Docker. Where `platform` is not given,
   * it is that of the task definition's `cpuArchitecture`.
   */
  static fromAsset(directory: string, options: DockerImageAssetOptions = {}): GantryImage {
    return new BuiltImage(directory, options);
  }

  /** From an image asset that is there already. */
  static fromDockerImageAsset(asset: DockerImageAsset): GantryImage {
    return new BoundAlready(boundAsset(asset));
  }

  abstract bind(scope: Construct, use: ImageUse): BoundImage;
}

class BoundAlready extends GantryImage {
  private readonly image: BoundImage;

  constructor(image: BoundImage) {
    super();
    this.image = image;
  }

  override bind(): BoundImage {
    return this.image;
  }
}

class BuiltImage extends GantryImage {
  private readonly directory: string;
  private readonly options: DockerImageAssetOptions;

  constructor(directory: string, options: DockerImageAssetOptions) {
    super();
    this.directory = directory;
    this.options = options;
  }

  override bind(scope: Construct, { id, cpuArchitecture }: ImageUse): BoundImage {
    const platform = { X86_64: Platform.LINUX_AMD64, ARM64: Platform.LINUX_ARM64 };
    return boundAsset(
      new DockerImageAsset(scope, id, {
        ...(cpuArchitecture && { platform: platform[cpuArchitecture] }),
        ...this.options,
        directory: this.directory,
      }),
    );
  }
}

const boundAsset = (asset: DockerImageAsset): BoundImage => ({
  name: asset.imageUri,
  grantPull: (grantee) => asset.repository.grantPull(grantee),
});
