/**
 * Which host ports a task gets in bridge mode: the static ones that it names, and dynamic ones from the host's ephemeral range.
 * Whether a port is free is asked of the host itself, because others than Gantry listen there too.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { containerSpan, type PortSpan, portsOf, spanSize, spanText } from '../../core/model/port-span.ts';
import { type HostPort, hostPort, type Protocol } from '../../core/model/resources.ts';
import type { NetworkBinding } from '../../core/model/task.ts';
import type { PortMapping } from '../../core/model/task-definition.ts';
import { runTool } from './tool.ts';

/** Docker's and ECS' choice where the host does not say. */
export const fallbackRange: PortSpan = { first: 49_153, last: 65_535 };

/** From the content of /proc/sys/net/ipv4/ip_local_port_range. */
export function parsePortRange(text: string): PortSpan {
  const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
  return first > 0 && last > first ? { first, last } : fallbackRange;
}

/** Tells whether something on the host listens on a port. */
export type PortProbe = (protocol: Protocol, port: number) => Promise<boolean>;

/** A host port cannot be had. The message names it and says who has it, as far as that is known. */
class PortUnavailable extends Error {
  override readonly name = 'PortUnavailable';
}

export interface PortRequest {
  readonly mappings: readonly PortMapping[];
  /** Who holds a port already: a task of this host. Changed while ports are chosen. */
  readonly holders: Map<HostPort, string>;
  readonly taskId: string;
  readonly range: PortSpan;
  readonly isListening: PortProbe;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly bindIP: string;
}

/** Takes the ports, in `holders` too. Throws PortUnavailable; what it took before that is in `holders` under the task's id. */
export async function takePorts(request: PortRequest): Promise<NetworkBinding[]> {
  const { bindIP } = request;
  const bindings: NetworkBinding[] = [];
  // Static ones first, or a dynamic one might take what a later mapping names; then ranges, which fit in fewer places.
  const order = ({ hostPort: port = 0, containerPortRange }: PortMapping) =>
    port > 0 ? 0 : containerPortRange === undefined ? 2 : 1;
  for (const mapping of request.mappings.toSorted((a, b) => order(a) - order(b))) {
    const { containerPort, containerPortRange, hostPort: port = 0, protocol } = mapping;
    if (containerPortRange !== undefined) {
      const span = await takeDynamic(request, protocol, spanSize(containerSpan(mapping)));
      bindings.push({ bindIP, containerPortRange, hostPortRange: spanText(span), protocol });
    } else {
      const taken =
        port === 0 ? (await takeDynamic(request, protocol, 1)).first : await takeStatic(request, protocol, port);
      bindings.push({ bindIP, containerPort, hostPort: taken, protocol });
    }
  }
  return bindings;
}

async function takeStatic(
  { holders, taskId, isListening }: PortRequest,
  protocol: Protocol,
  port: number,
): Promise<number> {
  const key = hostPort(protocol, port);
  const holder = holders.get(key);
  if (holder !== undefined) {
    const who = holder === taskId ? 'another container of this task' : `task ${holder}`;
    throw new PortUnavailable(
      `Host port ${port}/${protocol} is already published by ${who}. Choose another hostPort, or 0 for a dynamic one.`,
    );
  }
  holders.set(key, taskId); // Before the question, so that nobody else takes it meanwhile.
  if (await isListening(protocol, port)) {
    holders.delete(key);
    throw new PortUnavailable(
      `Host port ${port}/${protocol} is in use by a program on the host. Stop it, or choose another hostPort, or 0 for a dynamic one.`,
    );
  }
  return port;
}

/** So many free ports in a row, from anywhere in the range. */
async function takeDynamic(request: PortRequest, protocol: Protocol, count: number): Promise<PortSpan> {
  const { holders, taskId, range, random } = request;
  const places = spanSize(range) - count + 1; // Where such a row may begin.
  const start = Math.floor(random() * places);
  for (let offset = 0; offset < places; offset++) {
    const first = range.first + ((start + offset) % places);
    const span = { first, last: first + count - 1 };
    const keys = portsOf(span).map((port) => hostPort(protocol, port));
    const obstacle = keys.findLastIndex((key) => holders.has(key));
    if (obstacle >= 0) {
      offset += Math.min(obstacle, places - 1 - ((start + offset) % places)); // Not past the end, from where it goes on at the beginning.
      continue;
    }
    for (const key of keys) holders.set(key, taskId); // Before the question, so that nobody else takes them meanwhile.
    if (!(await isAnyListening(request, protocol, span))) return span;
    for (const key of keys) holders.delete(key);
  }
  const what = count === 1 ? 'port' : `row of ${count} ports`;
  throw new PortUnavailable(
    `No ${what} between ${range.first} and ${range.last} is free on the host for ${protocol}. Stop other tasks that publish ports ` +
      'there, or widen net.ipv4.ip_local_port_range.',
  );
}

async function isAnyListening({ isListening }: PortRequest, protocol: Protocol, span: PortSpan): Promise<boolean> {
  for (const port of portsOf(span)) if (await isListening(protocol, port)) return true;
  return false;
}

/** In the agent's own network namespace: by trying to bind, which costs next to nothing. */
export const probeByBinding: PortProbe = (protocol, port) => (protocol === 'tcp' ? tcpIsBound(port) : udpIsBound(port));

function tcpIsBound(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => settleBindError(error, resolve, reject));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(false)));
  });
}

function udpIsBound(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', (error) => settleBindError(error, resolve, reject));
    socket.bind({ port, address: '0.0.0.0', exclusive: true }, () => socket.close(() => resolve(false)));
  });
}

function settleBindError(error: Error, resolve: (bound: boolean) => void, reject: (error: Error) => void): void {
  if ('code' in error && error.code === 'EADDRINUSE') resolve(true);
  else reject(error);
}

/** In another network namespace, where the agent cannot bind, and for many ports: by one look at all listening sockets, when first asked. */
export function probeByListing(netns: string | undefined): PortProbe {
  let listening: Promise<Set<HostPort>> | undefined;
  return async (protocol, port) => {
    listening ??= listeningPorts(netns);
    return (await listening).has(hostPort(protocol, port));
  };
}

async function listeningPorts(netns: string | undefined): Promise<Set<HostPort>> {
  const sockets = await runTool('ss', ['--no-header', '--listening', '--numeric', '--tcp', '--udp'], { netns });
  return new Set(
    sockets.split('\n').flatMap((line) => {
      const [protocol, , , , local = ''] = line.split(/\s+/);
      const port = Number(local.slice(local.lastIndexOf(':') + 1));
      return protocol === 'tcp' || protocol === 'udp' ? [hostPort(protocol, port)] : [];
    }),
  );
}
