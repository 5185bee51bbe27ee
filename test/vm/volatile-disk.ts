/**
 * A disk with a write cache that a power cut empties, as a drive's own is: QEMU alone cannot lose what it has taken, since it goes on in the
 * machine's page cache when QEMU is killed. Serves a file over NBD (the fixed newstyle handshake and simple replies of its protocol) to one
 * virtual machine at a time. What was written stays in memory until the guest flushes; a cut keeps an arbitrary half of it.
 */
import { closeSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Incoming, incoming } from './incoming.ts';

const option = { abort: 2, go: 7 } as const;
const reply = { acknowledged: 1, info: 3, unsupported: 0x80000001 } as const;
const command = { read: 0, write: 1, disconnect: 2, flush: 3 } as const;
const forcedUnitAccess = 1;
/** It has flags, and takes flushes and writes that are to be on the disk when they are answered. */
const transmissionFlags = 1 | 4 | 8;
const sectorBytes = 512;

export interface PowerCut {
  /** In sectors: written and not flushed. */
  readonly unflushed: number;
  readonly lost: number;
}

export class VolatileDisk implements AsyncDisposable {
  /** For QEMU's -drive. */
  readonly drive: string;
  readonly #file: number;
  readonly #sizeBytes: number;
  readonly #server: Server;
  readonly #socketPath: string;
  /** By number. */
  readonly #unflushed = new Map<number, Buffer>();
  /** The one that has power. */
  #connection: Socket | undefined;
  #afterWrite: (() => void) | undefined;

  /** @param file the disk's content, whose size it has @param socketPath made for QEMU */
  constructor(file: string, socketPath: string) {
    this.#file = openSync(file, 'r+');
    this.#sizeBytes = statSync(file).size;
    this.#socketPath = socketPath;
    this.drive = `file=nbd+unix:///?socket=${socketPath},format=raw,cache=writeback`;
    this.#server = createServer((connection) => {
      this.#connection = connection;
      connection.on('error', () => undefined); // QEMU was killed.
      void this.#serve(connection).catch(() => connection.destroy());
    }).listen(socketPath);
  }

  /**
   * The power goes with the next write, before any flush of it: nothing is answered from then on, until another machine connects. `keeps` is
   * asked for each sector that was not flushed whether it has reached the disk. Resolves when it has gone; QEMU is to be killed then.
   */
  cutPower(keeps: () => boolean): Promise<PowerCut> {
    const { promise, resolve } = Promise.withResolvers<PowerCut>();
    this.#afterWrite = () => {
      this.#afterWrite = undefined;
      this.#connection = undefined;
      resolve(this.#loseUnflushed(keeps));
    };
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.destroy();
    this.#server.close();
    rmSync(this.#socketPath, { force: true });
    closeSync(this.#file);
  }

  async #serve(connection: Socket): Promise<void> {
    const input = incoming(connection);
    connection.write(Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), numbers([2, 1])]));
    await input.take(4); // The client's flags.
    if (await this.#negotiate(input, connection)) await this.#transmit(input, connection);
    connection.end();
  }

  /** Answers whether requests follow. */
  async #negotiate(input: Incoming, connection: Socket): Promise<boolean> {
    for (;;) {
      const header = await input.take(16); // A magic number, the option and the length of its data.
      const asked = header.readUInt32BE(8);
      await input.take(header.readUInt32BE(12)); // Which export: there is one.
      const answer = (type: number, data = Buffer.alloc(0)): void => {
        const magic = Buffer.from('0003e889045565a9', 'hex');
        connection.write(Buffer.concat([magic, numbers([4, asked], [4, type], [4, data.length]), data]));
      };
      if (asked === option.abort) return false;
      if (asked === option.go) {
        answer(reply.info, Buffer.concat([numbers([2, 0], [8, this.#sizeBytes], [2, transmissionFlags])]));
        answer(reply.acknowledged);
        return true;
      }
      answer(reply.unsupported);
    }
  }

  async #transmit(input: Incoming, connection: Socket): Promise<void> {
    for (;;) {
      const request = await input.take(28);
      const type = request.readUInt16BE(6);
      if (type === command.disconnect) return;
      const data = await input.take(type === command.write ? request.readUInt32BE(24) : 0);
      const answer = this.#connection === connection ? this.#answer(request, data) : undefined;
      if (answer === undefined) continue; // It has no power.
      connection.write(Buffer.concat([numbers([4, 0x67446698], [4, 0]), request.subarray(8, 16), answer]));
    }
  }

  #answer(request: Buffer, data: Buffer): Buffer | undefined {
    const [flags, type] = [request.readUInt16BE(4), request.readUInt16BE(6)];
    const offset = Number(request.readBigUInt64BE(16));
    if (type === command.read) return this.#read(offset, request.readUInt32BE(24));
    if (type === command.write) {
      this.#write(offset, data);
      if (this.#afterWrite !== undefined) {
        this.#afterWrite();
        return undefined;
      }
    }
    if (type === command.flush || (flags & forcedUnitAccess) !== 0) this.#flush();
    return Buffer.alloc(0);
  }

  #write(offset: number, data: Buffer): void {
    if (offset % sectorBytes !== 0 || data.length % sectorBytes !== 0) throw new Error('writes are whole sectors');
    for (let at = 0; at < data.length; at += sectorBytes)
      this.#unflushed.set((offset + at) / sectorBytes, data.subarray(at, at + sectorBytes));
  }

  #loseUnflushed(keeps: () => boolean): PowerCut {
    const unflushed = this.#unflushed.size;
    for (const number of this.#unflushed.keys()) if (!keeps()) this.#unflushed.delete(number);
    const lost = unflushed - this.#unflushed.size;
    this.#flush();
    return { unflushed, lost };
  }

  #read(offset: number, length: number): Buffer {
    const data = Buffer.alloc(length);
    readSync(this.#file, data, 0, length, offset);
    for (let at = 0; at < length; at += sectorBytes) this.#unflushed.get((offset + at) / sectorBytes)?.copy(data, at);
    return data;
  }

  #flush(): void {
    for (const [number, data] of this.#unflushed) writeSync(this.#file, data, 0, sectorBytes, number * sectorBytes);
    this.#unflushed.clear();
  }
}

/** Big-endian, each as many bytes long as it says. */
function numbers(...parts: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Buffer {
  return Buffer.concat(
    parts.map(([bytes, value]) => {
      const buffer = Buffer.alloc(bytes);
      if (bytes === 8) buffer.writeBigUInt64BE(BigInt(value));
      else buffer.writeUIntBE(value, 0, bytes);
      return buffer;
    }),
  );
}
