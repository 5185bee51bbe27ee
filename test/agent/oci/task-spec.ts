/** Task specs for tests of the agent: what core would send, with only what a test is about written out. */
import type { ContainerSpec, TaskSpec } from '../../../core/model/task-spec.ts';

export function containerSpec(overrides: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: 'main',
    image: 'busybox',
    essential: true,
    cpuUnits: 0,
    environment: [],
    portMappings: [],
    ulimits: [],
    readonlyRootFilesystem: false,
    labels: {},
    dependsOn: [],
    stopTimeoutSeconds: 30,
    ...overrides,
  };
}

export function taskSpec(overrides: Partial<TaskSpec> = {}): TaskSpec {
  const taskId = overrides.taskId ?? '0123456789abcdef0123456789abcdef';
  return {
    taskId,
    taskArn: `arn:aws:ecs:us-east-1:000000000000:task/default/${taskId}`,
    cluster: 'default',
    family: 'test',
    revision: 1,
    networkMode: 'none',
    containers: [containerSpec()],
    ...overrides,
  };
}
