/** Ports as they are written for containers and for the host: one, or a range as `8000-8010`. Pure arithmetic; rules are normalise-ports.ts'. */

/** Both ends are in it; one port is a span of its own. */
export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

/** A mapping or a binding has one port or a range of them. */
interface ContainerPorts {
  readonly containerPort?: number | undefined;
  readonly containerPortRange?: string | undefined;
}
interface HostPorts {
  readonly hostPort?: number | undefined;
  readonly hostPortRange?: string | undefined;
}

export const containerSpan = ({ containerPort, containerPortRange }: ContainerPorts): PortSpan =>
  spanOf(containerPort, containerPortRange);

export const hostSpan = ({ hostPort, hostPortRange }: HostPorts): PortSpan => spanOf(hostPort, hostPortRange);

function spanOf(port: number | undefined, range: string | undefined): PortSpan {
  const span = range === undefined ? undefined : parseSpan(range);
  return span ?? { first: port ?? 0, last: port ?? 0 };
}

/** undefined where it is not written as `<port>-<port>`. */
export function parseSpan(text: string): PortSpan | undefined {
  const found = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  return found === null ? undefined : { first: Number(found[1]), last: Number(found[2]) };
}

export const spanSize = ({ first, last }: PortSpan): number => last - first + 1;

export const portsOf = (span: PortSpan): number[] =>
  Array.from({ length: spanSize(span) }, (_, index) => span.first + index);

export const spansMeet = (a: PortSpan, b: PortSpan): boolean => a.first <= b.last && b.first <= a.last;

/** `8000-8010`, or the port alone. */
export const spanText = ({ first, last }: PortSpan): string => (first === last ? String(first) : `${first}-${last}`);
