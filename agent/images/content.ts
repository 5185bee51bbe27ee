/**
 * Blobs in containerd's content store: one write, from wherever an earlier one stopped, and reading small ones.
 */
import type { NamespacedContainerd } from '../containerd/client.ts';
import { WriteAction, WriteContentRequestSchema, type WriteContentResponse } from '../containerd/gen/content_pb.ts';
import { ignoreNotFound, isNotFound } from '../containerd/grpc-error.ts';

/** Every message costs containerd an answer; above this size larger ones no longer help. */
const writeBytes = 256 * 1024;

type WriteCall = ReturnType<NamespacedContainerd['content']['write']>;

/** Manifests and configs; layers are never read back. */
const maxReadBytes = 16 * 1024 * 1024;

export interface BlobWrite {
  /** Names the write while it is under way; the same ref takes it up again. */
  readonly ref: string;
  readonly digest: string;
  readonly size: number;
  /** What garbage collection follows from this blob. */
  readonly labels: Readonly<Record<string, string>>;
  /** The bytes from an offset on, exactly to the end. */
  read(offset: number): AsyncIterable<Uint8Array>;
  /** Called with the number of bytes that containerd has been given. */
  onOffset(offset: number): void;
}

/**
 * Writes a blob and returns when containerd has checked its digest. Throws what `read` throws, and GrpcError: ALREADY_EXISTS,
 * UNAVAILABLE with "locked" while another writer has the ref, FAILED_PRECONDITION for wrong content, after which the ref must be
 * aborted.
 */
export async function writeBlob(containerd: NamespacedContainerd, blob: BlobWrite, signal: AbortSignal): Promise<void> {
  const call = containerd.content.write({ signal });
  try {
    const { ref, digest: expected, size } = blob;
    await call.send({ action: WriteAction.STAT, ref, total: BigInt(size), expected });
    // containerd may have kept less than it was sent before a connection broke: only its own word counts.
    const standing = await call.answers.next();
    const offset = standing.done ? 0 : Number(standing.value.offset);
    const committed = untilCommitted(call.answers);
    await upload(call, blob, offset, failureOf(committed)).catch(async (error: unknown) => {
      // Reading broke off. A half-close lets containerd keep all that it was sent; a reset loses what it has not looked at yet.
      call.endSending();
      await committed.catch(() => {}); // It cannot have been committed: the reason not to is the first error.
      throw error;
    });
    await committed;
  } finally {
    call.cancel();
  }
}

async function upload(call: WriteCall, blob: BlobWrite, from: number, refused: { error?: unknown }): Promise<void> {
  const { ref, digest: expected, size, labels } = blob;
  let offset = from;
  blob.onOffset(offset);
  if (offset < size) {
    for await (const { pieces, bytes } of batches(blob.read(offset))) {
      if (refused.error !== undefined) throw refused.error;
      const payload = { fieldNumber: WriteContentRequestSchema.field.data.number, pieces };
      await call.send({ action: WriteAction.WRITE, ref, offset: BigInt(offset) }, payload);
      offset += bytes;
      blob.onOffset(offset);
    }
  }
  const total = BigInt(size);
  await call.send({ action: WriteAction.COMMIT, ref, offset: BigInt(offset), total, expected, labels: { ...labels } });
  call.endSending();
}

/** Takes away what was written under a ref and not committed. */
export async function abortWrite(containerd: NamespacedContainerd, ref: string): Promise<void> {
  await ignoreNotFound(containerd.content.abort({ ref }, { timeoutMs: 30_000 }));
}

/** Sets labels of a blob that is there already, and leaves its others. */
export async function labelBlob(
  containerd: NamespacedContainerd,
  digest: string,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const paths = Object.keys(labels).map((label) => `labels.${label}`);
  if (paths.length === 0) return;
  await containerd.content.update({ info: { digest, labels: { ...labels } }, updateMask: { paths } }, { signal });
}

/**
 * Whether its bytes are there too. containerd flushes a blob and what it notes of it, not the directory that has the blob's name: after a
 * loss of power it may know a blob that is gone.
 */
export async function hasBytes(
  containerd: NamespacedContainerd,
  digest: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    for await (const _ of containerd.content.read({ digest, offset: 0n, size: 1n }, { signal })) break;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** A small blob, whole. Throws GrpcError NOT_FOUND. */
export async function readBlob(containerd: NamespacedContainerd, digest: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const { data } of containerd.content.read({ digest })) {
    pieces.push(data);
    bytes += data.length;
    if (bytes > maxReadBytes) throw new Error(`the blob ${digest} is larger than ${maxReadBytes} bytes`);
  }
  return Buffer.concat(pieces);
}

async function untilCommitted(answers: AsyncIterable<WriteContentResponse>): Promise<void> {
  let isCommitted = false;
  for await (const { action } of answers) isCommitted ||= action === WriteAction.COMMIT;
  if (!isCommitted) throw new Error('containerd ended the write without committing it');
}

/** Holds the error of a promise as soon as there is one, so that an upload stops when containerd refuses it. */
function failureOf(promise: Promise<unknown>): { error?: unknown } {
  const failure: { error?: unknown } = {};
  promise.catch((error: unknown) => {
    failure.error = error;
  });
  return failure;
}

/** Joins small pieces into large ones without copying. What came before the source fails is passed on before its error. */
async function* batches(source: AsyncIterable<Uint8Array>): AsyncGenerator<{ pieces: Uint8Array[]; bytes: number }> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const piece of source) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes < writeBytes) continue;
      yield { pieces, bytes };
      pieces = [];
      bytes = 0;
    }
  } catch (error) {
    failure = { error };
  }
  if (bytes > 0) yield { pieces, bytes };
  if (failure !== undefined) throw failure.error;
}
