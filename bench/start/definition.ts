/** The container that every contender starts, as a task definition: what Gantry registers and what the others are given of it. */
import type { TaskDefinition } from '../../core/model/task-definition.ts';

/** In ECS' units: a whole CPU, because less would throttle runc while it still makes the container. */
export const limits = { cpuUnits: 1024, memoryMib: 128 } as const;
export const containerPort = 8080;
export const containerName = 'app';

export type BenchDefinition = Pick<
  TaskDefinition,
  'family' | 'networkMode' | 'cpu' | 'memory' | 'containerDefinitions'
>;

/** A published port (a dynamic one), CPU and memory limits, and a command that each start gives. */
export const benchDefinition = (image: string): BenchDefinition => ({
  family: 'bench',
  networkMode: 'bridge',
  cpu: `${limits.cpuUnits}`,
  memory: `${limits.memoryMib}`,
  containerDefinitions: [
    {
      name: containerName,
      image,
      cpu: limits.cpuUnits,
      memory: limits.memoryMib,
      essential: true,
      environment: [],
      portMappings: [{ containerPort, hostPort: 0, protocol: 'tcp' }],
    },
  ],
});
