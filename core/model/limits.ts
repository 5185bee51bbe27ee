/** ECS' limits of what callers may write, as `[least, greatest]`: the rules check them and the published schemas show them. */

type Range = readonly [least: number, greatest: number];

interface Limits {
  readonly taskCpuUnits: Range;
  readonly containerCpuUnits: Range;
  readonly memoryMib: Range;
  readonly timeoutSeconds: Range;
  readonly runSeconds: Range;
  readonly waitSeconds: Range;
  readonly containerPort: Range;
  readonly hostPort: Range;
  readonly portRangesOfContainer: number;
  readonly ulimit: Range;
  readonly containers: Range;
  readonly definitionBytes: number;
  readonly tags: Range;
}

export const limits: Limits = {
  /** 0.125 to 192 vCPU. */
  taskCpuUnits: [128, 196_608],
  containerCpuUnits: [0, 196_608],
  /** The least that a container can be started in, and more than any host has. */
  memoryMib: [6, 33_554_432],
  /** A day: who needs longer to stop would hold its host for as long. */
  timeoutSeconds: [0, 86_400],
  /** A task's whole run: up to a year. */
  runSeconds: [1, 31_536_000],
  /** For a host: up to a week. */
  waitSeconds: [1, 604_800],
  containerPort: [1, 65_535],
  hostPort: [0, 65_535],
  portRangesOfContainer: 100,
  /** -1 is unlimited. */
  ulimit: [-1, Number.MAX_SAFE_INTEGER],
  containers: [1, 10],
  definitionBytes: 65_536,
  tags: [0, 50],
};

/** Names of setrlimit(2), in lower case and without RLIMIT_. */
export const ulimitNames: readonly string[] =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ');

/** All that ECS knows; those that a revision may name beside EC2 or EXTERNAL. */
export const compatibilityNames: readonly string[] = ['EC2', 'EXTERNAL', 'FARGATE', 'MANAGED_INSTANCES'];
