/**
 * The closed set of errors that Gantry shows. Names are Amazon ECS' own, so that unmodified clients recognise them; each code has
 * its HTTP status on both transports, the exit code of the command line and whether a client may retry, in one exhaustive table.
 * Anything thrown that is not a GantryError becomes ServerException at the edge, and nowhere else.
 */

interface ErrorTraits {
  /** HTTP status on the ECS wire (AWS JSON 1.1 answers client faults with 400). */
  readonly wireStatus: number;
  /** HTTP status on REST. */
  readonly restStatus: number;
  readonly retryable: boolean;
  /** Exit code of the command line: 1 usage or own error, 2 not placed, 3 timeout, 4 not found. */
  readonly exitCode: 1 | 2 | 3 | 4;
}

const fault = (restStatus: number, exitCode: 1 | 2 | 3 | 4 = 1): ErrorTraits => ({
  wireStatus: 400,
  restStatus,
  retryable: false,
  exitCode,
});

export const errorTraits = {
  AccessDeniedException: fault(403),
  AttributeLimitExceededException: fault(409),
  ClientException: fault(422),
  ClusterContainsCapacityProviderException: fault(409),
  ClusterContainsContainerInstancesException: fault(409),
  ClusterContainsTasksException: fault(409),
  ClusterNotFoundException: fault(404, 4),
  ConflictException: fault(409),
  DaemonNotFoundException: fault(404, 4),
  ExpiredTokenException: fault(401),
  IncompleteSignatureException: fault(401),
  InvalidParameterException: fault(400),
  InvalidSignatureException: fault(401),
  LimitExceededException: fault(429),
  MissingAuthenticationTokenException: fault(401),
  NoUpdateAvailableException: fault(409),
  PlatformTaskDefinitionIncompatibilityException: fault(422),
  RequestEntityTooLargeException: { wireStatus: 413, restStatus: 413, retryable: false, exitCode: 1 },
  ResourceInUseException: fault(409),
  ResourceNotFoundException: fault(404, 4),
  SerializationException: fault(400),
  ServerException: { wireStatus: 500, restStatus: 500, retryable: true, exitCode: 1 },
  ServiceNotFoundException: fault(404, 4),
  ServiceUnavailableException: { wireStatus: 503, restStatus: 503, retryable: true, exitCode: 1 },
  ThrottlingException: { wireStatus: 400, restStatus: 429, retryable: true, exitCode: 1 },
  TargetNotFoundException: fault(404, 4),
  UnknownOperationException: fault(404),
  UnrecognizedClientException: fault(401),
  UnsupportedFeatureException: fault(501),
} as const satisfies Record<string, ErrorTraits>;

export type ErrorCode = keyof typeof errorTraits;

interface ErrorDetails {
  /** Path of the request member at fault, for example `containerDefinitions[0].memory`. */
  readonly field?: string;
  /** What the reader can do about it, in one sentence. */
  readonly hint?: string;
  /** ConflictException: what the earlier request made. */
  readonly resourceIds?: readonly string[];
  /** Of whom a client was answered: names the request in the control plane's log. */
  readonly requestId?: string;
  /** For the log only; never shown. */
  readonly cause?: unknown;
}

export class GantryError extends Error {
  override readonly name = 'GantryError';
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly hint: string | undefined;
  readonly resourceIds: readonly string[] | undefined;
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.field = details.field;
    this.hint = details.hint;
    this.resourceIds = details.resourceIds;
    this.requestId = details.requestId;
  }
}
