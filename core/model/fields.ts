/**
 * The table of fields: every member of ECS' RegisterTaskDefinition and RunTask, by path, with what becomes of it and a sentence. What is
 * refused, what is warned of and the documentation come from here (field-rules.ts, docs/task-definition-fields.md); the rules on values
 * of honoured members are the normalisers'. What is below a row needs none of its own.
 */

/**
 * `honoured`: has its effect. `recorded`: stored and answered, without effect by nature or until something is configured; a warning.
 * `ignored`: as ECS itself ignores it for tasks on EC2 hosts; a warning. `refused`: an error that names the path.
 */
export type FieldClass = 'honoured' | 'recorded' | 'ignored' | 'refused';

export interface Field {
  readonly class: FieldClass;
  /** Honoured: what it does. Recorded, ignored: why it has no effect. Refused: what to do instead. */
  readonly says: string;
}

/** By path: a list's elements are `[]`, as in `containerDefinitions[].memory`. */
export type FieldTable = Readonly<Record<string, Field>>;

const honoured = (says: string): Field => ({ class: 'honoured', says });
const recorded = (says: string): Field => ({ class: 'recorded', says });
const ignored = (says: string): Field => ({ class: 'ignored', says });
const refused = (says: string): Field => ({ class: 'refused', says });

const noSecrets = 'Put the value into the environment until secrets are supported.';
const noVolumes = 'Volumes are not supported yet; what a task writes goes with it.';
const noHostAccess = 'Containers share nothing but the network mode with their host.';
const noRole = 'No credentials provider is configured, so containers get no credentials from it.';
const queryLanguage = 'Of the cluster query language (docs/placement.md), for example `attribute:stack == prod`.';

const containerFields = {
  name: honoured('Names the container within its task: 1 to 255 letters, digits, hyphens and underscores.'),
  image: honoured(
    'Pulled by the host at each start where it does not have it: `repository[:tag]` or `repository@digest`.',
  ),
  cpu: honoured('CPU units (1024 = 1 vCPU) as a relative weight; reserved where the task has no `cpu`.'),
  memory: honoured('Hard limit in MiB: what exceeds it is killed by the kernel.'),
  memoryReservation: honoured('Soft limit in MiB, reserved in place of `memory`; must be less than it.'),
  essential: honoured('Whether its end is the end of the task; true where absent.'),
  entryPoint: honoured("In place of the image's entry point."),
  command: honoured("In place of the image's command."),
  'environment[].name': honoured('Name of a variable.'),
  'environment[].value': honoured('Its value.'),
  'portMappings[].containerPort': honoured('The port on which the container listens.'),
  'portMappings[].hostPort': honoured(
    'Bridge: the port of the host; 0 or absent takes a free one. Host: as `containerPort`.',
  ),
  'portMappings[].protocol': honoured('`tcp` (where absent) or `udp`.'),
  'portMappings[].name': recorded('Only services that find each other by name (Service Connect) use it.'),
  'portMappings[].appProtocol': ignored('Only Service Connect uses it.'),
  'portMappings[].containerPortRange': refused('Give each port an entry of its own with containerPort.'),
  'ulimits[].name': honoured('Which limit of the process, for example `nofile`.'),
  'ulimits[].softLimit': honoured('Its soft value; -1 is unlimited.'),
  'ulimits[].hardLimit': honoured('Its hard value; -1 is unlimited.'),
  user: honoured('`user`, `uid`, `user:group` or `uid:gid`; names are looked up in the image.'),
  workingDirectory: honoured("In place of the image's working directory."),
  readonlyRootFilesystem: honoured('Mounts the root file system read-only.'),
  hostname: honoured('The host name that the container sees; the beginning of the task id where absent.'),
  dockerLabels: honoured("Labels that the container's specification carries."),
  'dependsOn[].containerName': honoured('The container that must have come so far first.'),
  'dependsOn[].condition': honoured('START, COMPLETE (it ended) or SUCCESS (it ended with 0).'),
  startTimeout: honoured('Seconds that this container, as a dependency, may take to reach COMPLETE or SUCCESS.'),
  stopTimeout: honoured("Seconds from SIGTERM (or the image's STOPSIGNAL) to SIGKILL; 30 where absent."),
  'logConfiguration.logDriver': honoured(
    '`json-file`: the host keeps what the container writes and `gantry logs` reads it.',
  ),
  'logConfiguration.options': refused('The log has no options; leave them out.'),
  'logConfiguration.secretOptions': refused('The log has no options; leave them out.'),
  versionConsistency: ignored(
    'It concerns deployments of services; a task takes the image that the tag names when it starts.',
  ),
  credentialSpecs: refused('They concern Windows and Active Directory.'),
  disableNetworking: refused('Set networkMode to none: it holds for the whole task.'),
  dnsSearchDomains: refused("Containers use their host's resolver."),
  dnsServers: refused("Containers use their host's resolver."),
  dockerSecurityOptions: refused("Every container runs with Docker's default profile."),
  environmentFiles: refused('Put the variables into environment.'),
  extraHosts: refused("Use names that the host's resolver knows."),
  firelensConfiguration: refused('Logs are kept by the host.'),
  healthCheck: refused("Let the process end when it is not healthy: an essential container's end is the task's end."),
  interactive: refused('Containers have no standard input.'),
  links: refused('Containers of one task in bridge mode reach each other through published ports.'),
  linuxParameters: refused(
    'Containers run with the default capabilities and devices, without swap limits of their own.',
  ),
  mountPoints: refused(noVolumes),
  privileged: refused(noHostAccess),
  pseudoTerminal: refused('Containers have no terminal.'),
  repositoryCredentials: refused("Give the host's agent access to the registry."),
  resourceRequirements: refused('GPUs and other devices are not supported yet.'),
  restartPolicy: refused('A container that ended is not started again; run a new task.'),
  secrets: refused(noSecrets),
  systemControls: refused("Set the host's own sysctls."),
  volumesFrom: refused(noVolumes),
} as const satisfies FieldTable;

const withPrefix = (prefix: string, table: FieldTable): FieldTable =>
  Object.fromEntries(Object.entries(table).map(([path, field]) => [prefix + path, field]));

export const taskDefinitionFields: FieldTable = {
  family: honoured('The name under which revisions are numbered.'),
  networkMode: honoured('`bridge` (where absent), `host` or `none`.'),
  cpu: honoured(
    "Hard limit of the whole task, in CPU units (`512`) or vCPU (`0.5 vCPU`): a quota of the hosts' CPU time.",
  ),
  memory: honoured('Hard limit of the whole task, in MiB (`512`) or GB (`0.5 GB`).'),
  requiresCompatibilities: recorded(
    'Every task runs on a host of yours, as with EC2 and EXTERNAL; the list must name one of them.',
  ),
  'runtimePlatform.cpuArchitecture': honoured('Tasks are placed on hosts of this architecture only.'),
  'runtimePlatform.operatingSystemFamily': recorded('All hosts run Linux.'),
  taskRoleArn: recorded(noRole),
  executionRoleArn: recorded('Agents pull images and keep logs without a role.'),
  tags: recorded('Stored with the revision and answered.'),
  ...withPrefix('containerDefinitions[].', containerFields),
  enableFaultInjection: refused('There is no endpoint for injecting faults.'),
  ephemeralStorage: refused("It concerns Fargate; here a task has what its host's disk has."),
  inferenceAccelerators: refused('Amazon ECS itself has given them up.'),
  ipcMode: refused('Each container has an IPC namespace of its own.'),
  pidMode: refused('Each container has a process namespace of its own.'),
  'placementConstraints[].type': honoured('`memberOf`: its tasks go only to hosts of which the expression is true.'),
  'placementConstraints[].expression': honoured(queryLanguage),
  proxyConfiguration: refused('It concerns App Mesh, which AWS has given up.'),
  volumes: refused(noVolumes),
};

export const runTaskFields: FieldTable = {
  taskDefinition: honoured('`family` (its latest ACTIVE revision), `family:revision` or ARN.'),
  cluster: honoured('Name or ARN; `default` where absent.'),
  count: honoured(
    'How many tasks alike: 1 where absent, at most 100000. Beyond 1000 the rest is made after the answer.',
  ),
  launchType: honoured(
    '`EC2` or `EXTERNAL`: what does not fit now fails, unless the cluster has `gantry:waitForCapacity`. Absent: it waits.',
  ),
  group: honoured('The group that distinctInstance and spreading look at; `family:<family>` where absent.'),
  startedBy: honoured('Whom the tasks are for; ListTasks filters by it.'),
  clientToken: honoured('A repeated request with the same token answers the same tasks.'),
  referenceId: recorded('Stored with the task.'),
  'overrides.containerOverrides[].name': honoured('The container meant.'),
  'overrides.containerOverrides[].command': honoured("In place of the container's command."),
  'overrides.containerOverrides[].environment[].name': honoured(
    "Added to the container's variables, or in place of one of them.",
  ),
  'overrides.containerOverrides[].environment[].value': honoured('Its value.'),
  'overrides.containerOverrides[].cpu': honoured("In place of the container's."),
  'overrides.containerOverrides[].memory': honoured("In place of the container's."),
  'overrides.containerOverrides[].memoryReservation': honoured("In place of the container's."),
  'overrides.containerOverrides[].environmentFiles': refused('Put the variables into environment.'),
  'overrides.containerOverrides[].resourceRequirements': refused('GPUs and other devices are not supported yet.'),
  'overrides.cpu': honoured("In place of the revision's, in the same forms."),
  'overrides.memory': honoured("In place of the revision's, in the same forms."),
  'overrides.taskRoleArn': recorded(noRole),
  'overrides.executionRoleArn': recorded('Agents pull images and keep logs without a role.'),
  'overrides.ephemeralStorage': refused("It concerns Fargate; here a task has what its host's disk has."),
  'overrides.inferenceAcceleratorOverrides': refused('Amazon ECS itself has given them up.'),
  'placementConstraints[].type': honoured(
    '`distinctInstance`: no two tasks of the group on one host. `memberOf`: only hosts of which the expression is true.',
  ),
  'placementConstraints[].expression': honoured(queryLanguage),
  'placementStrategy[].type': honoured('`spread`, `binpack` or `random`; each breaks the ties of the one before.'),
  'placementStrategy[].field': honoured(
    'Of spread: `instanceId` or `attribute:<name>`; of binpack: `cpu` or `memory`.',
  ),
  tags: recorded('Stored with the task and answered.'),
  enableECSManagedTags: honoured('Adds the tag `aws:ecs:clusterName`.'),
  propagateTags: honoured("`TASK_DEFINITION` adds the revision's tags; `NONE` adds none."),
  placementTimeoutSeconds: honoured('Not of ECS: how long the tasks may wait in PROVISIONING.'),
  timeoutSeconds: honoured('Not of ECS: how long each may run. Otherwise the tag `gantry:timeout-seconds`, if any.'),
  cpuLimit: honoured(
    'Not of ECS: how much CPU each may use, at least its `cpu`. Otherwise the tag `gantry:cpu-limit`.',
  ),
  enableExecuteCommand: refused('Commands in running containers are not supported yet.'),
  'capacityProviderStrategy[].capacityProvider': honoured(
    "Its hosts only, bought where there are none. Where neither it nor a launch type is named, the cluster's default holds.",
  ),
  'capacityProviderStrategy[].weight': honoured('Its share of the tasks beyond the base: 0 (where absent) to 1000.'),
  'capacityProviderStrategy[].base': honoured('How many of the tasks of this call at least; of one provider only.'),
  networkConfiguration: refused('It concerns the network mode awsvpc; use bridge or host.'),
  platformVersion: refused('It concerns Fargate.'),
  volumeConfigurations: refused(noVolumes),
};
