/** A container's port mappings as ECS fills them in, by network mode. */
import { compact } from '../compact.ts';
import { checkRange, clientFault, firstDouble } from './faults.ts';
import { limits } from './limits.ts';
import type { ContainerInput } from './normalise-container.ts';
import { containerSpan, type PortSpan, parseSpan, spansMeet } from './port-span.ts';
import { type Protocol, protocolSchema } from './resources.ts';
import type { ContainerDefinition, NetworkMode, PortMapping } from './task-definition.ts';

type PortInput = NonNullable<ContainerInput['portMappings']>[number];

export function normalisePorts(mappings: readonly PortInput[], path: string, networkMode: NetworkMode): PortMapping[] {
  if (networkMode === 'none' && mappings.length > 0)
    throw clientFault(path, 'Port mappings need a network.', 'Use network mode bridge or host, or leave them out.');
  const ranges = mappings.filter(({ containerPortRange }) => containerPortRange !== undefined).length;
  if (ranges > limits.portRangesOfContainer)
    throw clientFault(path, `${path} has ${ranges} ranges; a container may have ${limits.portRangesOfContainer}.`);
  const normalised = mappings.map((mapping, index) => normalisePort(mapping, `${path}[${index}]`, networkMode));
  refuseSharedPorts(normalised, path);
  return normalised;
}

const namePattern = /^[a-z0-9_-]{1,64}$/;

function normalisePort(mapping: PortInput, path: string, networkMode: NetworkMode): PortMapping {
  const protocol = protocolOf(mapping, path);
  const name = nameOf(mapping, path);
  if (mapping.containerPortRange !== undefined) {
    const containerPortRange = rangeOf(mapping, mapping.containerPortRange, path, networkMode);
    return compact({ containerPortRange, protocol, name });
  }
  return compact({ ...singlePort(mapping, path, networkMode), protocol, name });
}

function singlePort(
  mapping: PortInput,
  path: string,
  networkMode: NetworkMode,
): { containerPort: number; hostPort: number } {
  const { containerPort } = mapping;
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
  return { containerPort, hostPort };
}

/** ECS' rules of ranges: bridge mode, dynamic ports of the host, the first port less than the last. */
function rangeOf(mapping: PortInput, range: string, path: string, networkMode: NetworkMode): string {
  const field = `${path}.containerPortRange`;
  if (networkMode !== 'bridge')
    throw clientFault(field, 'A containerPortRange needs network mode bridge.', 'Give each port an entry of its own.');
  for (const member of ['containerPort', 'hostPort'] as const)
    if ((mapping[member] ?? 0) !== 0)
      throw clientFault(
        `${path}.${member}`,
        `${path} has both ${member} and containerPortRange.`,
        'A range is published on free ports of the host: give containerPortRange alone, or one entry a port.',
      );
  const span = parseSpan(range);
  const [least, greatest] = limits.containerPort;
  if (span === undefined || span.first < least || span.last > greatest || span.first >= span.last)
    throw clientFault(
      field,
      `${field} must be two ports from ${least} to ${greatest}, the lesser one first, as in 8000-8010; it is "${range}".`,
    );
  return `${span.first}-${span.last}`;
}

function protocolOf(mapping: PortInput, path: string): Protocol {
  const protocol = protocolSchema.safeParse(mapping.protocol ?? 'tcp');
  if (protocol.success) return protocol.data;
  throw clientFault(`${path}.protocol`, `${path}.protocol must be tcp or udp; it is "${mapping.protocol}".`);
}

function nameOf({ name }: PortInput, path: string): string | undefined {
  if (name === undefined || namePattern.test(name)) return name;
  throw clientFault(`${path}.name`, `${path}.name must be 1 to 64 characters of a-z, 0-9, _ and -; it is "${name}".`);
}

/** A port that is in a range is in no other mapping of the container. */
function refuseSharedPorts(mappings: readonly PortMapping[], path: string): void {
  const earlier: { index: number; protocol: Protocol; span: PortSpan; isRange: boolean }[] = [];
  for (const [index, mapping] of mappings.entries()) {
    const { protocol } = mapping;
    const [span, isRange] = [containerSpan(mapping), mapping.containerPortRange !== undefined];
    const other = earlier.find(
      (one) => one.protocol === protocol && (one.isRange || isRange) && spansMeet(one.span, span),
    );
    if (other !== undefined) {
      const field = `${path}[${index}].${isRange ? 'containerPortRange' : 'containerPort'}`;
      throw clientFault(field, `${field} has a ${protocol} port in common with ${path}[${other.index}].`);
    }
    earlier.push({ index, protocol, span, isRange });
  }
}

/** One port of the host can be bound once. */
export function refuseDoubleHostPorts(containers: readonly ContainerDefinition[], path: string): void {
  const mappings = containers.flatMap(({ portMappings }, container) =>
    portMappings.map((mapping, index) => ({ ...mapping, field: `${path}[${container}].portMappings[${index}]` })),
  );
  const fixed = mappings.filter(({ hostPort = 0 }) => hostPort > 0);
  const double = firstDouble(fixed, ({ hostPort, protocol }) => `${protocol}/${hostPort}`)?.item;
  if (double !== undefined)
    throw clientFault(
      `${double.field}.hostPort`,
      `The host port ${double.protocol}/${double.hostPort} is mapped twice.`,
      'Give each mapping a port of its own, or 0 for a free one.',
    );
}
