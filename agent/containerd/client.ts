/**
 * The typed client of containerd's API. The rest of the agent imports this file, the error helpers and generated types;
 * nothing outside this directory knows gRPC.
 */
import { Containers } from './gen/containers_pb.ts';
import { Content } from './gen/content_pb.ts';
import { Diff } from './gen/diff_pb.ts';
import { Events } from './gen/events_pb.ts';
import { Images } from './gen/images_pb.ts';
import { Introspection } from './gen/introspection_pb.ts';
import { Leases } from './gen/leases_pb.ts';
import { Namespaces } from './gen/namespaces_pb.ts';
import { Snapshots } from './gen/snapshots_pb.ts';
import { Tasks } from './gen/tasks_pb.ts';
import { Version } from './gen/version_pb.ts';
import { type ServiceClient, serviceClient } from './service-client.ts';
import { type CallScope, GrpcTransport } from './transport.ts';

/** What belongs to a containerd as a whole. */
export interface Containerd extends Disposable {
  readonly events: ServiceClient<typeof Events>;
  readonly introspection: ServiceClient<typeof Introspection>;
  readonly namespaces: ServiceClient<typeof Namespaces>;
  readonly version: ServiceClient<typeof Version>;
  /** The services whose records live in a containerd namespace. */
  withNamespace(namespace: string): NamespacedContainerd;
  /** Ends every call and lets go of the socket. */
  close(): void;
}

export interface NamespacedContainerd {
  readonly namespace: string;
  readonly containers: ServiceClient<typeof Containers>;
  readonly content: ServiceClient<typeof Content>;
  readonly diff: ServiceClient<typeof Diff>;
  readonly images: ServiceClient<typeof Images>;
  /** Of the containerd as a whole. */
  readonly introspection: ServiceClient<typeof Introspection>;
  readonly leases: ServiceClient<typeof Leases>;
  readonly snapshots: ServiceClient<typeof Snapshots>;
  readonly tasks: ServiceClient<typeof Tasks>;
  /** The same, with everything that calls make kept by this lease. */
  withLease(lease: string): NamespacedContainerd;
}

/**
 * A client for the containerd behind this socket. Nothing is connected until the first call; when containerd is away,
 * calls fail with UNAVAILABLE, and work again when it is back.
 */
export function connect(socketPath: string): Containerd {
  const calls = new GrpcTransport(socketPath);
  // Blobs have a session of their own, so that an upload never delays a call.
  const blobs = new GrpcTransport(socketPath);
  const close = (): void => {
    calls.close();
    blobs.close();
  };
  return {
    events: serviceClient(Events, calls, {}),
    introspection: serviceClient(Introspection, calls, {}),
    // Changes are published as events, and an event needs some namespace to be of; which one does not matter.
    namespaces: serviceClient(Namespaces, calls, { namespace: 'default' }),
    version: serviceClient(Version, calls, {}),
    withNamespace: (namespace) => namespaced(calls, blobs, namespace, {}),
    close,
    [Symbol.dispose]: close,
  };
}

function namespaced(
  calls: GrpcTransport,
  blobs: GrpcTransport,
  namespace: string,
  { lease }: { readonly lease?: string },
): NamespacedContainerd {
  const scope: CallScope = { namespace, ...(lease === undefined ? {} : { lease }) };
  return {
    namespace,
    containers: serviceClient(Containers, calls, scope),
    content: serviceClient(Content, blobs, scope),
    diff: serviceClient(Diff, calls, scope),
    images: serviceClient(Images, calls, scope),
    introspection: serviceClient(Introspection, calls, {}),
    leases: serviceClient(Leases, calls, scope),
    snapshots: serviceClient(Snapshots, calls, scope),
    tasks: serviceClient(Tasks, calls, scope),
    withLease: (id) => namespaced(calls, blobs, namespace, { lease: id }),
  };
}
