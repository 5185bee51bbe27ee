/** Errors of containerd and of the machine's tools as RuntimeFailures, with the kind and the words that ECS' users know. */
import { type FailureKind, RuntimeFailure } from '../runtime.ts';
import { GrpcError, isGrpcError, isUnavailable } from './grpc-error.ts';

/** Runs the action, and turns whatever it throws into a RuntimeFailure of this kind. */
export async function failingAs<T>(kind: FailureKind, subject: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw asFailure(kind, subject, error);
  }
}

/** @param subject begins the message, for example `container web` */
export function asFailure(kind: FailureKind, subject: string, error: unknown): RuntimeFailure {
  if (error instanceof RuntimeFailure) return error;
  if (isGrpcError(error, 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED'))
    return new RuntimeFailure(kind, `${subject}: ${noAnswer(error)}`, {
      retryable: true,
      isAway: isUnavailable(error),
      cause: error,
    });
  const text = error instanceof GrpcError ? runtimeWords(error.details) : messageOf(error);
  return new RuntimeFailure(kind, `${subject}: ${text}`, { cause: error });
}

export const noAnswer = ({ details }: GrpcError): string => `containerd does not answer (${details})`;

/** What each layer on the way puts before what really happened. */
const wrappers = [
  'failed to create (shim )?task',
  'failed to start task',
  'OCI runtime (create|start) failed',
  'runc (create|start) failed',
  'unable to start container process',
  'cannot start a container',
  'unknown',
  'failed precondition',
];
const wrapper = new RegExp(`^(${wrappers.join('|')}): `);

/** The innermost sentence of runc's and the shim's chain, with advice where there is some. */
function runtimeWords(details: string): string {
  let words = details.trim().replace(/(: unknown)+$/, '');
  while (wrapper.test(words)) words = words.replace(wrapper, '');
  const program = /^exec: "(.*?)": /.exec(words)?.[1];
  if (program === undefined) return words;
  return `${words}. ${advice(words, program)}`;
}

function advice(words: string, program: string): string {
  if (/permission denied/.test(words))
    return `Check that "${program}" is a program, may be executed, and by this user.`;
  return `Check command and entryPoint, and that the image has "${program}".`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
