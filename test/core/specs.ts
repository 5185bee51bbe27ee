/** Task specs and ledger entries for tests of the plan. */
import fc from 'fast-check';
import type { DesiredTask } from '../../core/host-protocol.ts';
import type { ContainerDependency } from '../../core/model/task-definition.ts';
import type { ContainerSpec, TaskSpec } from '../../core/model/task-spec.ts';
import { acceptTask } from '../../core/plan/host.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';

export const containerSpec = (name: string, changes: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name,
  image: 'registry/app:1',
  essential: true,
  cpuUnits: 0,
  environment: [],
  portMappings: [],
  ulimits: [],
  readonlyRootFilesystem: false,
  labels: {},
  dependsOn: [],
  stopTimeoutSeconds: 30,
  ...changes,
});

export const taskSpec = (containers: readonly ContainerSpec[], taskId = 'task-1'): TaskSpec => ({
  taskId,
  taskArn: `arn:aws:ecs:us-east-1:000000000000:task/default/${taskId}`,
  cluster: 'default',
  family: 'web',
  revision: 1,
  networkMode: 'none',
  containers: [...containers],
});

export const desiredTask = (spec: TaskSpec): DesiredTask => ({
  taskId: spec.taskId,
  desired: { status: 'RUNNING', version: 1, at: 900 },
  spec,
});

export const ledgerTask = (spec: TaskSpec): LedgerTask =>
  acceptTask(desiredTask(spec), undefined, { now: 1000, bootId: 'boot-1' });

const names = ['a', 'b', 'c', 'd'] as const;

/** Up to four containers; each may depend on those before it, as a validated task definition may. */
const untimedSpec: fc.Arbitrary<TaskSpec> = fc
  .array(
    fc.record({
      essential: fc.boolean(),
      image: fc.constantFrom('registry/app:1', 'registry/side:1'),
      startTimeoutSeconds: fc.option(fc.constantFrom(0, 1), { nil: undefined, freq: 3 }),
      stopTimeoutSeconds: fc.constantFrom(0, 2, 30),
      dependencies: fc.array(fc.tuple(fc.nat(2), fc.constantFrom('START', 'COMPLETE', 'SUCCESS')), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: names.length },
  )
  .map((drafts) => {
    const containers = drafts.map(({ dependencies, startTimeoutSeconds, ...draft }, index): ContainerSpec => {
      const dependsOn = dependencies.flatMap(([position, condition]): ContainerDependency[] => {
        const dependency = drafts[position];
        if (dependency === undefined || position >= index) return [];
        // COMPLETE and SUCCESS are refused on an essential container at registration.
        const allowed = dependency.essential ? 'START' : condition;
        return [{ containerName: names[position] ?? '', condition: allowed }];
      });
      return containerSpec(names[index] ?? '', {
        ...draft,
        dependsOn,
        ...(startTimeoutSeconds === undefined ? {} : { startTimeoutSeconds }),
      });
    });
    const last = containers.at(-1);
    if (last !== undefined && !containers.some(({ essential }) => essential)) {
      containers[containers.length - 1] = { ...last, essential: true };
    }
    return taskSpec(containers);
  });

/** Some with a timeout. */
export const specArbitrary: fc.Arbitrary<TaskSpec> = fc
  .tuple(untimedSpec, fc.option(fc.constantFrom(1, 5), { nil: undefined, freq: 3 }))
  .map(([spec, timeoutSeconds]) => (timeoutSeconds === undefined ? spec : { ...spec, timeoutSeconds }));
