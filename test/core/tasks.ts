/** Tasks and definitions as the control plane stores them, for tests. */

import type { ContainerObservation, Task, TaskObservation } from '../../core/model/task.ts';
import type { ContainerDefinition, TaskDefinition } from '../../core/model/task-definition.ts';
import { makeTask, type NewTask } from '../../core/task/create.ts';
import { placeOn } from '../../core/task/transitions.ts';

export const containerDefinition = (name: string, changes: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
  name,
  image: 'registry/app:1',
  cpu: 0,
  essential: true,
  environment: [],
  portMappings: [],
  ...changes,
});

export const taskDefinition = (changes: Partial<TaskDefinition> = {}): TaskDefinition => ({
  family: 'web',
  revision: 3,
  containerDefinitions: [containerDefinition('app', { memory: 256 })],
  networkMode: 'bridge',
  registeredAt: 1,
  registeredBy: 'arn:aws:iam::000000000000:user/admin',
  ...changes,
});

export const newTask = (changes: Partial<NewTask> = {}): Task =>
  makeTask({
    id: 'f00d',
    cluster: 'default',
    definition: taskDefinition(),
    overrides: { containerOverrides: [] },
    tags: [],
    now: 10_000,
    placementDeadline: 610_000,
    ...changes,
  });

export function placedTask(changes: Partial<NewTask> = {}): Task {
  const reason = 'tight fit, 0.75 vCPU and 512 MiB left';
  const task = placeOn(newTask(changes), { hostId: 'h1', hostName: 'host-1', reason, at: 10_004 });
  if (task === undefined) throw new Error('a new task can be placed');
  return task;
}

export const containerSeen = (changes: Partial<ContainerObservation> = {}): ContainerObservation => ({
  name: 'app',
  status: 'RUNNING',
  imageDigest: 'sha256:1',
  networkBindings: [],
  startedAt: 11_300,
  ...changes,
});

export const observation = (changes: Partial<TaskObservation> = {}): TaskObservation => ({
  status: 'RUNNING',
  sequence: 3,
  containers: [containerSeen()],
  acceptedAt: 10_010,
  pullStartedAt: 10_012,
  pullStoppedAt: 11_212,
  startedAt: 11_300,
  ...changes,
});
