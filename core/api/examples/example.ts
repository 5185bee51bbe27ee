/**
 * The form of an example: a request as data, which the documentation shows and a test makes. What is answered is recorded by that test
 * (answers.json), so that nothing is shown which did not happen.
 */
import type { OperationName } from '../operations.ts';

/** What REST has beside the table of operations. */
export type StreamName = 'StreamEvents' | 'WatchTask' | 'ReadLogs';

export interface Example {
  /** Of this example alone; others name its answer by it. */
  readonly name: string;
  readonly operation: OperationName | StreamName;
  /** What it shows, as a heading. */
  readonly title: string;
  /**
   * `{{run:tasks.0.taskArn}}` stands for a member of the answer to the example `run`; with `|id` for what of it is behind the last slash.
   */
  readonly input: { readonly [member: string]: unknown };
  /** Has members that are Gantry's own, which stock clients of ECS do not send. */
  readonly isOurs?: true;
  /** Of one that is refused: the status, and the error that says why. */
  readonly refused?: { readonly status: number; readonly code: string };
}
