/**
 * gRPC's message framing: one byte for compression (never used here), four for the length, then the message.
 */
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';

const headerBytes = 5;

/** containerd answers at most 16 MB in a message; more is a broken peer, and must not fill our memory. */
const maxMessageBytes = 32 * 1024 * 1024;

/** A bytes field that is sent after the message's other fields, and never copied. */
export interface BytesField {
  readonly fieldNumber: number;
  readonly bytes: Uint8Array;
}

/** A framed message: one buffer, and a second one, uncopied, when it has a payload. */
export function encodeFrame<I extends DescMessage>(
  schema: I,
  message: MessageInitShape<I>,
  payload?: BytesField,
): readonly [head: Uint8Array, payload?: Uint8Array] {
  const fields = toBinary(schema, create(schema, message));
  // The order of fields is free in protobuf: the payload may follow as the last one.
  const payloadHeader = payload === undefined ? [] : bytesFieldHeader(payload);
  const messageBytes = fields.length + payloadHeader.length + (payload?.bytes.length ?? 0);
  const head = Buffer.allocUnsafe(headerBytes + fields.length + payloadHeader.length);
  head[0] = 0;
  head.writeUInt32BE(messageBytes, 1);
  head.set(fields, headerBytes);
  head.set(payloadHeader, headerBytes + fields.length);
  return payload === undefined ? [head] : [head, payload.bytes];
}

function bytesFieldHeader({ fieldNumber, bytes }: BytesField): number[] {
  const lengthDelimited = 2;
  return [...varint(fieldNumber * 8 + lengthDelimited), ...varint(bytes.length)];
}

function varint(value: number): number[] {
  const encoded: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    encoded.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  encoded.push(rest);
  return encoded;
}

/** Cuts a stream of bytes into messages. */
export class FrameDecoder {
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  /** Takes the next piece and answers the messages (still encoded) that are complete with it. */
  push(chunk: Buffer): Uint8Array[] {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    const messages: Uint8Array[] = [];
    for (let message = this.#take(); message !== undefined; message = this.#take()) messages.push(message);
    return messages;
  }

  #take(): Uint8Array | undefined {
    if (this.#pendingBytes < headerBytes) return undefined;
    const header = this.#peek(headerBytes);
    if (header[0] !== 0) throw new Error('the answer is compressed, which was not asked for');
    const messageBytes = header.readUInt32BE(1);
    if (messageBytes > maxMessageBytes) throw new Error(`a message of ${messageBytes} bytes is too large`);
    const frameBytes = headerBytes + messageBytes;
    if (this.#pendingBytes < frameBytes) return undefined;
    const joined = this.#peek(frameBytes);
    const rest = joined.subarray(frameBytes);
    this.#pending = rest.length > 0 ? [rest, ...this.#pending.slice(1)] : this.#pending.slice(1);
    this.#pendingBytes -= frameBytes;
    return joined.subarray(headerBytes, frameBytes);
  }

  /** The first piece, joined with as many others as are needed for it to hold that many bytes. */
  #peek(bytes: number): Buffer {
    let pieces = 0;
    for (let length = 0; length < bytes; pieces++) length += this.#pending[pieces]?.length ?? bytes;
    const first = pieces === 1 ? this.#pending[0] : Buffer.concat(this.#pending.slice(0, pieces));
    const joined = first ?? Buffer.alloc(0);
    if (pieces > 1) this.#pending.splice(0, pieces, joined);
    return joined;
  }
}
