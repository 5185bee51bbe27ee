/** What a socket brings, taken in pieces of a wanted length. */
import type { Socket } from 'node:net';

export interface Incoming {
  /** Rejects when the socket ends before. */
  take(bytes: number): Promise<Buffer>;
}

export function incoming(socket: Socket): Incoming {
  const chunks = socket[Symbol.asyncIterator]();
  let held: Buffer[] = [];
  let heldBytes = 0;
  return {
    async take(bytes) {
      while (heldBytes < bytes) {
        const { done, value } = await chunks.next();
        if (done === true) throw new Error('the connection has ended');
        const chunk = Buffer.from(value);
        held.push(chunk);
        heldBytes += chunk.length;
      }
      const all = Buffer.concat(held);
      held = [all.subarray(bytes)];
      heldBytes -= bytes;
      return all.subarray(0, bytes);
    },
  };
}
