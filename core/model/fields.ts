/**
 * The tables of fields: every member of ECS' RegisterTaskDefinition (here) and RunTask (run-task-fields.ts), by path, with what becomes of
 * it and a sentence. What is refused, what is warned of and the documentation come from here (field-rules.ts,
 * docs/task-definition-fields.md); the rules on values of honoured members are the normalisers'. What is below a row needs none of its own.
 */
import {
  type FieldTable,
  honoured,
  ignored,
  noRole,
  noVolumes,
  queryLanguage,
  recorded,
  refused,
} from './field-table.ts';

const noSecrets = 'Put the value into the environment until secrets are supported.';
const noHostAccess = 'Containers share nothing but the network mode with their host.';

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
  'portMappings[].containerPortRange': honoured(
    'Bridge: `8000-8010`, published on as many free ports of the host in a row; instead of `containerPort` and `hostPort`.',
  ),
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
    '`json-file`: the host keeps what the container writes and `gantry logs` reads it. `awslogs`: it also sends it to CloudWatch Logs.',
  ),
  'logConfiguration.options': honoured(
    '`json-file`: `max-size` (10m where absent) times `max-file` (5) is kept, the newest. `awslogs`: `awslogs-group`, ' +
      '`awslogs-region`, `awslogs-stream-prefix`, `awslogs-create-group`, `awslogs-datetime-format`, `mode` (non-blocking where ' +
      'absent), `max-buffer-size` (10m).',
  ),
  'logConfiguration.secretOptions': refused('No log driver has an option that is a secret; leave them out.'),
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
  'repositoryCredentials.credentialsParameter': honoured(
    'The name of credentials that the cluster has for the registry (`gantry registries login --name`); the ARN of a secret is such a name.',
  ),
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
