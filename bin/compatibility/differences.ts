/** Where an operation does something else than in Amazon ECS, and why; and why others are not built. Sentences of docs/compatibility.md. */
import type { OperationName } from '../../core/api/operations.ts';

/** Of every operation. */
export const everywhere: readonly string[] = [
  'Members of answers that are ours (such as `headline`, `story`, `warnings`) stand beside those of ECS; clients ' +
    'skip what they do not know.',
  'An error has the name that ECS has for it and a message that names the member and says what would be right: ' +
    'stock clients show no more than that.',
  'There is one account and one region, fixed when the store is made; ARNs of others are refused as ECS refuses them.',
  'Tags need no permission of their own; who may make a resource may tag it.',
  'Rights are those of the access key that signs ([docs/security.md](security.md)): a refused call is an ' +
    'AccessDeniedException that names what is missing.',
];

export const differences: Readonly<Partial<Record<OperationName, readonly string[]>>> = {
  RegisterTaskDefinition: [
    'A member that would have no effect is refused rather than ignored, so that nothing is promised; what ECS ' +
      'ignores on EC2 hosts too is taken.',
    'The only log driver is `json-file`: logs stay on the host, where `gantry logs` reads them.',
  ],
  DeleteTaskDefinitions: ['A revision is gone once no task runs from it, not after a time.'],
  RunTask: [
    '`count` may be 100000, where ECS stops at 10.',
    'Without launch type and capacity provider a task that fits nowhere waits in PROVISIONING, ten minutes by ' +
      'default, instead of failing; with launch type EC2 it fails as in ECS.',
    'Each of `failures` has a `detail` that counts what each kind of host lacks.',
    'Where no `clientToken` is sent, the invocation id of the SDK keeps its own retries from running anything twice.',
    'Limits that ECS does not have are sent as the tags `gantry:timeout-seconds` and `gantry:cpu-limit`.',
  ],
  StopTask: [
    'A `reason` that begins with `gantry:force` kills at once. A stopped task is answered as it is, for as long as it is kept.',
  ],
  DescribeTasks: [
    'A stopped task is found for days (the retention of the store), not for an hour.',
    "The stoppedReason of a task that failed to start ends with its container's reason; ECS says that there on Fargate only.",
  ],
  ListTasks: ['The filters may be combined in any way. Stopped tasks are listed for days, newest first.'],
  UpdateTaskProtection: [
    'Every task can be protected, not only those of a service: it is not moved when hosts are consolidated or drained.',
  ],
  CreateCluster: ['`default` is there from the start. A cluster that was deleted can be made again at once.'],
  DeleteCluster: ['There are no services that would keep it.'],
  ListContainerInstances: ['A filter that cannot be read is refused with the column where it goes wrong.'],
  UpdateContainerInstancesState: [
    'What runs on a draining host runs on unless its host goes; there is no service that would replace it.',
  ],
  UpdateContainerAgent: [
    'Always NoUpdateAvailableException: agents come with their release, which a host in AWS takes by itself and `gantry up` has at hand.',
  ],
  DeregisterContainerInstance: ["With `force` its tasks are stopped; without a host agent they would be nobody's."],
  CreateCapacityProvider: [
    'Hosts are bought by Gantry itself: no Auto Scaling group is asked, and managed instances come from the launch ' +
      'template of the stack. The members say what is recorded only.',
  ],
  PutClusterCapacityProviders: ['There is no FARGATE and no FARGATE_SPOT.'],
  PutAccountSetting: ["Settings are kept; the answer's `effect` says what each changes, which is mostly nothing."],
};

interface NotBuilt {
  readonly why: string;
  /** What its names have in common. */
  readonly names: RegExp;
}

/** The first that fits an operation's name. */
export const notBuilt: readonly NotBuilt[] = [
  { why: 'Sessions in running containers are not built yet.', names: /^ExecuteCommand$/ },
  {
    why: "Agents of ECS call it. Gantry's agents speak a protocol of their own, over which hosts join (`gantry join`).",
    names: /^(DiscoverPollEndpoint|RegisterContainerInstance|Submit)/,
  },
  { why: 'Daemons are not built; a task on each host is StartTask with the ids of the hosts.', names: /Daemon/ },
  { why: 'Gateways are not built.', names: /Gateway(?!Service)/ },
  {
    why:
      'Services are not built yet: whoever keeps tasks running calls RunTask again when `/v1/events` or DescribeTasks ' +
      'says that one stopped.',
    names: /Service|TaskSet/,
  },
];
