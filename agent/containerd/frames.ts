/**
 * gRPC's message framing: one byte for compression (never used here), four for the length, then the message.
 */
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';

const headerBytes = 5;

/** containerd answers at most 16 MB in a message; more is a broken peer, and must not fill our memory. */
const maxMessageBytes = 32 * 1024 * 1024;

/** A bytes field that is sent after the message's other fields: its pieces, never copied. */
export interface BytesField {
  readonly fieldNumber: number;
  readonly pieces: readonly Uint8Array[];
}

/** A framed message: the first buffer, then the pieces of its payload. */
export function encodeFrame<I extends DescMessage>(
  schema: I,
  message: MessageInitShape<I>,
  payload?: BytesField,
): readonly [head: Uint8Array, ...payload: Uint8Array[]] {
  const fields = toBinary(schema, create(schema, message));
  // The order of fields is free in protobuf: the payload may follow as the last one.
  const pieces = payload?.pieces ?? [];
  const payloadBytes = pieces.reduce((total, piece) => total + piece.length, 0);
  const payloadHeader = payload === undefined ? [] : bytesFieldHeader(payload.fieldNumber, payloadBytes);
  const messageBytes = fields.length + payloadHeader.length + payloadBytes;
  const head = Buffer.allocUnsafe(headerBytes + fields.length + payloadHeader.length);
  head[0] = 0;
  head.writeUInt32BE(messageBytes, 1);
  head.set(fields, headerBytes);
  head.set(payloadHeader, headerBytes + fields.length);
  return [head, ...pieces];
}

function bytesFieldHeader(fieldNumber: number, bytes: number): number[] {
  const lengthDelimited = 2;
  return [...varint(fieldNumber * 8 + lengthDelimited), ...varint(bytes)];
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
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** The length of the message under way, once its header has been read. */
  #messageBytes: number | undefined;

  /** Takes the next piece and answers the messages (still encoded) that are complete with it. */
  push(piece: Buffer): Uint8Array[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    const messages: Uint8Array[] = [];
    for (let message = this.#next(); message !== undefined; message = this.#next()) messages.push(message);
    return messages;
  }

  #next(): Uint8Array | undefined {
    if (this.#messageBytes === undefined) {
      if (this.#bytes < headerBytes) return undefined;
      this.#messageBytes = messageLength(this.#take(headerBytes));
    }
    if (this.#bytes < this.#messageBytes) return undefined;
    const message = this.#take(this.#messageBytes);
    this.#messageBytes = undefined;
    return message;
  }

  /** Pieces are joined only here, when what is wanted is complete: joining on every piece would copy a large message many times. */
  #take(bytes: number): Buffer {
    const [first] = this.#pieces;
    const joined = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    this.#pieces = [joined.subarray(bytes)];
    this.#bytes -= bytes;
    return joined.subarray(0, bytes);
  }
}

function messageLength(header: Buffer): number {
  if (header[0] !== 0) throw new Error('the answer is compressed, which was not asked for');
  const bytes = header.readUInt32BE(1);
  if (bytes > maxMessageBytes) throw new Error(`a message of ${bytes} bytes is too large`);
  return bytes;
}
