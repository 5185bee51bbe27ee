/**
 * A typed client for a generated service: one function a method, named and typed by the service's descriptor.
 */
import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { CallOptions } from './call.ts';
import type { CallScope, DuplexCall, GrpcTransport } from './transport.ts';

type MethodClient<M> = M extends {
  methodKind: 'unary';
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? (message: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
  : M extends {
        methodKind: 'server_streaming';
        input: infer I extends DescMessage;
        output: infer O extends DescMessage;
      }
    ? (message: MessageInitShape<I>, options?: CallOptions) => AsyncGenerator<MessageShape<O>, void, void>
    : M extends {
          methodKind: 'bidi_streaming';
          input: infer I extends DescMessage;
          output: infer O extends DescMessage;
        }
      ? (options?: CallOptions) => DuplexCall<I, O>
      : never;

export type ServiceClient<S> =
  S extends GenService<infer Methods extends GenServiceMethods>
    ? { readonly [K in keyof Methods]: MethodClient<Methods[K]> }
    : never;

/** Makes the functions of a service; every call carries the scope. */
export function serviceClient<S extends DescService>(
  service: S,
  transport: GrpcTransport,
  scope: CallScope,
): ServiceClient<S> {
  const functions = service.methods.map(
    (method) => [method.localName, methodClient(method, transport, scope)] as const,
  );
  return Object.fromEntries(functions) as ServiceClient<S>;
}

function methodClient(method: DescMethod, transport: GrpcTransport, scope: CallScope): unknown {
  switch (method.methodKind) {
    case 'unary':
      return (message: MessageInitShape<DescMessage>, options?: CallOptions) =>
        transport.unary(method, scope, message, options);
    case 'server_streaming':
      return (message: MessageInitShape<DescMessage>, options?: CallOptions) =>
        transport.serverStreaming(method, scope, message, options);
    case 'bidi_streaming':
      return (options?: CallOptions) => transport.duplex(method, scope, options);
    case 'client_streaming':
      throw new Error(`${method.name}: containerd has no client-streaming methods`);
  }
}
