/**
 * gRPC over a unix socket: the three kinds of call that containerd's services use, typed by protobuf's descriptors.
 *
 * It survives a restart of containerd: calls then fail with UNAVAILABLE, and later ones work again. It never retries,
 * because it cannot know which calls may be repeated.
 */
import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { type CallOptions, GrpcCall } from './call.ts';
import { type BytesField, encodeFrame } from './frames.ts';
import { Http2Session } from './http2-session.ts';

/** Sent with every call of a scoped client. */
export interface CallScope {
  readonly namespace?: string;
  readonly lease?: string;
}

/** A call in which both sides speak. */
export interface DuplexCall<I extends DescMessage, O extends DescMessage> {
  /** Sends a message, with a payload that is not copied and must not be changed afterwards. Resolves when there is room for more. */
  send(message: MessageInitShape<I>, payload?: BytesField): Promise<void>;
  /** Says that nothing more will be sent. */
  endSending(): void;
  /** The answers; iterate once. Throws GrpcError when the call does not end well. */
  readonly answers: AsyncGenerator<MessageShape<O>, void, void>;
  /** Gives the call up. */
  cancel(): void;
}

/** A method with the types of its messages. Its kind is the caller's to know: service-client.ts is the one caller. */
type TypedMethod<I extends DescMessage, O extends DescMessage> = DescMethod & { readonly input: I; readonly output: O };

export class GrpcTransport {
  readonly #session: Http2Session;

  constructor(socketPath: string) {
    this.#session = new Http2Session(socketPath);
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: TypedMethod<I, O>,
    scope: CallScope,
    message: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const call = this.#open(method, scope, options);
    call.endSending(encodeFrame(method.input, message)[0]);
    return fromBinary(method.output, await call.onlyMessage());
  }

  async *serverStreaming<I extends DescMessage, O extends DescMessage>(
    method: TypedMethod<I, O>,
    scope: CallScope,
    message: MessageInitShape<I>,
    options: CallOptions = {},
  ): AsyncGenerator<MessageShape<O>, void, void> {
    const call = this.#open(method, scope, options);
    call.endSending(encodeFrame(method.input, message)[0]);
    yield* decoded(method.output, call);
  }

  duplex<I extends DescMessage, O extends DescMessage>(
    method: TypedMethod<I, O>,
    scope: CallScope,
    options: CallOptions = {},
  ): DuplexCall<I, O> {
    const call = this.#open(method, scope, options);
    return {
      send: (message, payload) => call.send(...encodeFrame(method.input, message, payload)),
      endSending: () => call.endSending(),
      answers: decoded(method.output, call),
      cancel: () => call.cancel(),
    };
  }

  /** Ends every call. */
  close(): void {
    this.#session.close();
  }

  #open(method: DescMethod, scope: CallScope, options: CallOptions): GrpcCall {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `/${method.parent.typeName}/${method.name}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(scope.namespace === undefined ? {} : { 'containerd-namespace': scope.namespace }),
      ...(scope.lease === undefined ? {} : { 'containerd-lease': scope.lease }),
      ...(options.timeoutMs === undefined ? {} : { 'grpc-timeout': `${Math.ceil(options.timeoutMs)}m` }),
    });
    return new GrpcCall(stream, `${method.parent.name}.${method.name}`, options);
  }
}

async function* decoded<O extends DescMessage>(schema: O, call: GrpcCall): AsyncGenerator<MessageShape<O>, void, void> {
  for await (const message of call.messages()) yield fromBinary(schema, message);
}
