/**
 * Flows of udp that the kernel remembers. A flow keeps the way that its first packet took, and never ends while its sender goes on: one
 * that began before a port was published, or that led to the task which had the port before, would not reach the task that has it now.
 * Those are forgotten, and no other: the next packet goes by the rules. (A connection of tcp ends with whom it was made to.)
 */
import { portsOf, spansMeet } from '../../core/model/port-span.ts';
import type { Publication } from './publications.ts';
import { runTool, ToolError } from './tool.ts';

export interface FlowChange {
  /** Publications that came or went. */
  readonly changed: readonly Publication[];
  /** All that there are now. */
  readonly published: readonly Publication[];
  /** Addresses of the host, beside 127.0.0.0/8. */
  readonly localAddresses: () => readonly string[];
  readonly netns: string | undefined;
}

/** A flow as its sender addressed it, and who answers it. */
interface Flow {
  readonly destination: string;
  readonly port: number;
  readonly answeredBy: string;
  readonly answeringPort: number;
}

/** Without conntrack on this machine nothing is forgotten; such flows end when their sender pauses (two minutes at most). */
export async function forgetStaleFlows({ changed, published, localAddresses, netns }: FlowChange): Promise<void> {
  const spans = changed.flatMap(({ protocol, host }) => (protocol === 'udp' ? [host] : []));
  if (spans.length === 0) return;
  const changedPorts = new Set(spans.flatMap(portsOf));
  const present = published.filter(
    ({ protocol, host }) => protocol === 'udp' && spans.some((span) => spansMeet(span, host)),
  );
  try {
    const listed = await runTool('conntrack', ['-L', '-f', 'ipv4', '-p', 'udp'], { netns });
    const local = new Set(localAddresses());
    const stale = parseFlows(listed).filter((flow) => changedPorts.has(flow.port) && isStale(flow, present, local));
    const kinds = new Map(stale.map((flow) => [`${flow.port} ${flow.destination} ${flow.answeredBy}`, flow]));
    for (const { port, destination, answeredBy } of kinds.values()) {
      const which = ['--orig-port-dst', String(port), '--orig-dst', destination, '--reply-src', answeredBy];
      await runTool('conntrack', ['-D', '-f', 'ipv4', '-p', 'udp', ...which], { netns });
    }
  } catch (error) {
    // Not installed; or the flows were gone before we came to them, which it calls a failure.
    if (!(error instanceof ToolError)) throw error;
  }
}

/** Of each line `… src=A dst=B sport=1 dport=2 … src=C dst=D sport=3 dport=4 …`: the first half is the sender's, the second the answer's. */
function parseFlows(listed: string): Flow[] {
  return listed.split('\n').flatMap((line) => {
    const found = /src=\S+ dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+)/.exec(line);
    if (found === null) return [];
    const [, destination = '', port, answeredBy = '', answeringPort] = found;
    return [{ destination, port: Number(port), answeredBy, answeringPort: Number(answeringPort) }];
  });
}

function isStale(flow: Flow, published: readonly Publication[], local: ReadonlySet<string>): boolean {
  const isTranslated = flow.destination !== flow.answeredBy;
  const isToHost = local.has(flow.destination) || flow.destination.startsWith('127.');
  if (!isToHost) return false; // A port of somebody else's that happens to have this number.
  const now = published.find(({ host }) => host.first <= flow.port && flow.port <= host.last);
  if (now === undefined) return isTranslated;
  const containerPort = now.container.first + (flow.port - now.host.first);
  return flow.answeredBy !== now.address || flow.answeringPort !== containerPort;
}
