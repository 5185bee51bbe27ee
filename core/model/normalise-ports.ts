/** A container's port mappings as ECS fills them in, by network mode. */
import { compact } from '../compact.ts';
import { checkRange, clientFault, firstDouble } from './faults.ts';
import { limits } from './limits.ts';
import type { ContainerInput } from './normalise-container.ts';
import { protocolSchema } from './resources.ts';
import type { ContainerDefinition, NetworkMode, PortMapping } from './task-definition.ts';

type PortInput = NonNullable<ContainerInput['portMappings']>[number];

export function normalisePorts(mappings: readonly PortInput[], path: string, networkMode: NetworkMode): PortMapping[] {
  if (networkMode === 'none' && mappings.length > 0)
    throw clientFault(path, 'Port mappings need a network.', 'Use network mode bridge or host, or leave them out.');
  return mappings.map((mapping, index) => normalisePort(mapping, `${path}[${index}]`, networkMode));
}

const namePattern = /^[a-z0-9_-]{1,64}$/;

function normalisePort(mapping: PortInput, path: string, networkMode: NetworkMode): PortMapping {
  const { containerPort, name } = mapping;
  if (containerPort === undefined) throw clientFault(`${path}.containerPort`, `${path}.containerPort is missing.`);
  checkRange(clientFault, `${path}.containerPort`, containerPort, limits.containerPort);
  checkRange(clientFault, `${path}.hostPort`, mapping.hostPort, limits.hostPort);
  const hostPort = mapping.hostPort ?? (networkMode === 'host' ? containerPort : 0);
  if (networkMode === 'host' && hostPort !== containerPort)
    throw clientFault(
      `${path}.hostPort`,
      'When networkMode=host, the host ports and container ports in port mappings must match.',
      'Leave hostPort out.',
    );
  const protocol = protocolSchema.safeParse(mapping.protocol ?? 'tcp');
  if (!protocol.success)
    throw clientFault(`${path}.protocol`, `${path}.protocol must be tcp or udp; it is "${mapping.protocol}".`);
  if (name !== undefined && !namePattern.test(name))
    throw clientFault(`${path}.name`, `${path}.name must be 1 to 64 characters of a-z, 0-9, _ and -; it is "${name}".`);
  return compact({ containerPort, hostPort, protocol: protocol.data, name });
}

/** One port of the host can be bound once. */
export function refuseDoubleHostPorts(containers: readonly ContainerDefinition[], path: string): void {
  const mappings = containers.flatMap(({ portMappings }, container) =>
    portMappings.map((mapping, index) => ({ ...mapping, field: `${path}[${container}].portMappings[${index}]` })),
  );
  const fixed = mappings.filter(({ hostPort }) => hostPort > 0);
  const double = firstDouble(fixed, ({ hostPort, protocol }) => `${protocol}/${hostPort}`)?.item;
  if (double !== undefined)
    throw clientFault(
      `${double.field}.hostPort`,
      `The host port ${double.protocol}/${double.hostPort} is mapped twice.`,
      'Give each mapping a port of its own, or 0 for a free one.',
    );
}
