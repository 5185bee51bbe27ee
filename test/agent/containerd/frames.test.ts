import { fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../../agent/containerd/frames.ts';
import { WriteAction, WriteContentRequestSchema } from '../../../agent/containerd/gen/content_pb.ts';

const message = { action: WriteAction.WRITE, ref: 'a', offset: 5n, labels: { b: 'c' } };

function decode(...pieces: Uint8Array[]): Uint8Array[] {
  const decoder = new FrameDecoder();
  return pieces.flatMap((piece) => decoder.push(Buffer.from(piece)));
}

describe('a frame', () => {
  it('carries a payload of pieces that are not copied, whatever its size', () => {
    for (const size of [0, 1, 127, 128, 300_000]) {
      const pieces = [new Uint8Array(size).fill(7), new Uint8Array(3).fill(8)];
      const [head, ...payload] = encodeFrame(WriteContentRequestSchema, message, { fieldNumber: 6, pieces });
      expect(payload).toEqual(pieces);
      expect(payload[0]).toBe(pieces[0]);
      const [encoded = new Uint8Array()] = decode(head, ...payload);
      const decoded = fromBinary(WriteContentRequestSchema, encoded);
      expect(decoded).toMatchObject(message);
      expect(Buffer.concat(pieces).equals(decoded.data)).toBe(true);
    }
  });

  it('is one buffer without a payload', () => {
    expect(encodeFrame(WriteContentRequestSchema, message)).toHaveLength(1);
  });
});

describe('FrameDecoder', () => {
  it('finds the messages however they are cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
    const cuts = fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(messages, cuts, (contents, lengths) => {
        const frames = contents.map((data) => encodeFrame(WriteContentRequestSchema, { data })[0]);
        const decoded = decode(...cut(Buffer.concat(frames), lengths));
        expect(decoded.map((each) => Buffer.from(each).toString('hex'))).toEqual(
          contents.map((data) => Buffer.from(encoded(data)).toString('hex')),
        );
      }),
    );
  });

  it('refuses what it did not ask for', () => {
    expect(() => decode(Uint8Array.of(1, 0, 0, 0, 0))).toThrow('compressed');
    expect(() => decode(Uint8Array.of(0, 0xff, 0, 0, 0))).toThrow('too large');
  });
});

function encoded(data: Uint8Array): Uint8Array {
  const [head] = encodeFrame(WriteContentRequestSchema, { data });
  return toBinary(WriteContentRequestSchema, fromBinary(WriteContentRequestSchema, head.subarray(5)));
}

/** The bytes in pieces of these lengths, over and over. */
function cut(bytes: Buffer, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const length = lengths[pieces.length % lengths.length] ?? 1;
    pieces.push(bytes.subarray(start, start + length));
    start += length;
  }
  return pieces;
}
