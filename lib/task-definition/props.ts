/** What a GantryTaskDefinition is told, and the same as the input of RegisterTaskDefinition. Names are ECS' own where it has one. */
import type { RemovalPolicy } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { RegisterTaskDefinitionInput } from '../../core/api/task-definitions.ts';
import { compact } from '../../core/compact.ts';
import type { IGantryCluster } from '../cluster.ts';
import type { IGantryControlPlane } from '../control-plane.ts';
import type { GantryImage } from '../image.ts';
import type { GantryLogging } from '../logging.ts';

export interface GantryTaskDefinitionProps {
  /** Where it is registered. */
  readonly controlPlane: IGantryControlPlane;
  /**
   * The name under which revisions are numbered.
   * @default - made of the construct's path
   */
  readonly family?: string;
  /** One to ten. */
  readonly containers: readonly GantryContainer[];
  /**
   * Hard limit of the whole task, in CPU units (`512`) or vCPU (`0.5 vCPU`).
   * @default - none
   */
  readonly cpu?: string;
  /**
   * Hard limit of the whole task, in MiB (`512`) or GB (`0.5 GB`).
   * @default - none; then each container has one
   */
  readonly memory?: string;
  /** @default 'bridge' */
  readonly networkMode?: 'bridge' | 'host' | 'none';
  /**
   * Tasks are placed on hosts of this architecture only.
   * @default - any
   */
  readonly cpuArchitecture?: 'X86_64' | 'ARM64';
  /** @default - none */
  readonly taskRole?: iam.IRole;
  /** @default - none: hosts pull images by their own role */
  readonly executionRole?: iam.IRole;
  /** @default - none */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * Clusters that it will run in: their hosts are allowed to pull its images and to send its logs.
   * @default - those that `grantRun` names
   */
  readonly clusters?: readonly IGantryCluster[];
  /**
   * What becomes of a revision that is replaced, or removed from the app: DESTROY deregisters it (what runs goes on), RETAIN leaves it.
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;
}

export interface GantryContainer {
  /** 1 to 255 letters, digits, hyphens and underscores. */
  readonly name: string;
  readonly image: GantryImage;
  /**
   * CPU units (1024 are one vCPU) as a relative weight; reserved where the task has no `cpu`.
   * @default 0
   */
  readonly cpu?: number;
  /**
   * Hard limit in MiB.
   * @default - none
   */
  readonly memory?: number;
  /**
   * Soft limit in MiB, reserved in place of `memory`.
   * @default - none
   */
  readonly memoryReservation?: number;
  /**
   * Whether its end is the end of the task.
   * @default true
   */
  readonly essential?: boolean;
  /** @default - the image's */
  readonly entryPoint?: readonly string[];
  /** @default - the image's */
  readonly command?: readonly string[];
  /** @default - none */
  readonly environment?: Readonly<Record<string, string>>;
  /** @default - none */
  readonly portMappings?: readonly GantryPortMapping[];
  /** @default - the host's */
  readonly ulimits?: readonly GantryUlimit[];
  /**
   * `user`, `uid`, `user:group` or `uid:gid`.
   * @default - the image's
   */
  readonly user?: string;
  /** @default - the image's */
  readonly workingDirectory?: string;
  /** @default false */
  readonly readonlyRootFilesystem?: boolean;
  /** @default - made by the host */
  readonly hostname?: string;
  /** @default - none */
  readonly dockerLabels?: Readonly<Record<string, string>>;
  /** @default GantryLogging.jsonFile() */
  readonly logging?: GantryLogging;
  /** @default - none: it starts at once */
  readonly dependsOn?: readonly GantryContainerDependency[];
  /**
   * Seconds that it may take to start before the task is given up, where others wait for it.
   * @default - no limit
   */
  readonly startTimeout?: number;
  /**
   * Seconds between SIGTERM and SIGKILL.
   * @default - the host's
   */
  readonly stopTimeout?: number;
}

export interface GantryPortMapping {
  /** @default - `containerPortRange` says which */
  readonly containerPort?: number;
  /**
   * A range of ports instead of one, for example `8000-8010`, published on as many free ports of the host in a row.
   * @default - one port, `containerPort`
   */
  readonly containerPortRange?: string;
  /** @default - a free port of the host; with network mode host, `containerPort` */
  readonly hostPort?: number;
  /** @default 'tcp' */
  readonly protocol?: 'tcp' | 'udp';
}

export interface GantryUlimit {
  /** For example `nofile`. */
  readonly name: string;
  /** -1 is unlimited. */
  readonly softLimit: number;
  /** -1 is unlimited. */
  readonly hardLimit: number;
}

export interface GantryContainerDependency {
  readonly containerName: string;
  readonly condition: 'START' | 'COMPLETE' | 'SUCCESS';
}

/** Values may be tokens. `imageNames` are those of the containers, in their order. */
export function registrationOf(
  family: string,
  props: GantryTaskDefinitionProps,
  imageNames: readonly string[],
): RegisterTaskDefinitionInput {
  const { cpu, memory, networkMode, cpuArchitecture, taskRole, executionRole, tags = {} } = props;
  return compact({
    family,
    containerDefinitions: props.containers.map((container, index) => containerOf(container, imageNames[index] ?? '')),
    cpu,
    memory,
    networkMode,
    runtimePlatform: cpuArchitecture === undefined ? undefined : { cpuArchitecture },
    taskRoleArn: taskRole?.roleArn,
    executionRoleArn: executionRole?.roleArn,
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  });
}

function containerOf(
  { environment = {}, logging, ...container }: GantryContainer,
  image: string,
): RegisterTaskDefinitionInput['containerDefinitions'][number] {
  const { entryPoint, command, portMappings, ulimits, dependsOn } = container;
  return compact({
    ...container,
    image,
    entryPoint: entryPoint && [...entryPoint],
    command: command && [...command],
    environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
    portMappings: portMappings?.map((mapping) => ({ ...mapping })),
    ulimits: ulimits?.map((ulimit) => ({ ...ulimit })),
    dependsOn: dependsOn?.map((dependency) => ({ ...dependency })),
    logConfiguration: logging?.configuration,
  });
}
