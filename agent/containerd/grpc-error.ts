/**
 * How a call to containerd fails: gRPC's status codes as one error class, and the questions that callers ask of it.
 */

/** gRPC's status codes (https://grpc.io/docs/guides/status-codes/). */
export const GrpcCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcCodeName = keyof typeof GrpcCode;

const nameByCode = new Map<number, string>(Object.entries(GrpcCode).map(([name, code]) => [code, name]));

export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  /** One of GrpcCode; a number, because a newer server may know more. */
  readonly code: number;
  /** What the server said, without method and code. */
  readonly details: string;
  /** "Tasks.Create". */
  readonly method: string;

  constructor(method: string, code: number, details: string, options?: ErrorOptions) {
    super(`${method}: ${nameByCode.get(code) ?? `code ${code}`}: ${details}`, options);
    this.method = method;
    this.code = code;
    this.details = details;
  }
}

/** True when the error is a GrpcError with one of these codes. */
export function isGrpcError(error: unknown, ...codes: GrpcCodeName[]): error is GrpcError {
  return error instanceof GrpcError && (codes.length === 0 || codes.some((name) => GrpcCode[name] === error.code));
}

export const isNotFound = (error: unknown): error is GrpcError => isGrpcError(error, 'NOT_FOUND');
export const isAlreadyExists = (error: unknown): error is GrpcError => isGrpcError(error, 'ALREADY_EXISTS');
/** containerd is away or going away; the same call works again when it is back. */
export const isUnavailable = (error: unknown): error is GrpcError => isGrpcError(error, 'UNAVAILABLE');

/** Awaits a removal, and takes "not found" for done: removals are repeated after crashes. */
export async function ignoreNotFound(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
