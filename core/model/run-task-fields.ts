/** Every member of ECS' RunTask and StartTask, and of ours, with what becomes of it (see fields.ts). Apart, because each call needs it. */
import { type FieldTable, honoured, noRole, noVolumes, queryLanguage, recorded, refused } from './field-table.ts';

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
  placementTimeoutSeconds: honoured(
    'Not of ECS: how long the tasks may wait in PROVISIONING. Otherwise the tag `gantry:placement-timeout-seconds`, if any.',
  ),
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
