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
  ...smallDefinition(image, limits),
  cpu: `${limits.cpuUnits}`,
  memory: `${limits.memoryMib}`,
});

/** The same without a quota, so that hundreds fit a host and none throttles runc: memory has a limit, CPU a weight. */
export const smallDefinition = (
  image: string,
  { cpuUnits, memoryMib }: { readonly cpuUnits: number; readonly memoryMib: number },
): BenchDefinition => ({
  family: 'bench',
  networkMode: 'bridge',
  containerDefinitions: [
    {
      name: containerName,
      image,
      cpu: cpuUnits,
      memory: memoryMib,
      essential: true,
      environment: [],
      portMappings: [{ containerPort, hostPort: 0, protocol: 'tcp' }],
    },
  ],
});
