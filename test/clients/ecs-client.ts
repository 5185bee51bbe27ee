/** What the path through ECS asks of a client, whatever language it is written in. Members are those of the wire. */

export interface EcsClient {
  /** Operations that its model does not have: it is older than they are. */
  readonly lacks: readonly string[];
  /** Rejects with a ClientRefusal where the client says that it was refused. */
  call(operation: string, input?: object): Promise<unknown>;
  /** All pages of one item each as one answer, by what the client has for that. */
  list(operation: string, input?: object): Promise<unknown>;
  /** By the client's own waiter. */
  wait(
    waiter: 'tasks-running' | 'tasks-stopped',
    input: { readonly cluster: string; readonly tasks: readonly string[] },
  ): Promise<void>;
}

export class ClientRefusal extends Error {
  /** What the client calls it. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** `DescribeTasks` in the words of a language: `describe-tasks`, `describe_tasks`. */
export const inWords = (name: string, between: '-' | '_'): string =>
  name
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, `$1${between}$2`)
    .replaceAll(/([a-z0-9])([A-Z])/g, `$1${between}$2`)
    .toLowerCase();
