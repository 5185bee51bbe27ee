/** The examples of an operation as OpenAPI has them: requests and answers of a name each, so that whoever reads one finds the other. */
import recorded from '../../core/api/examples/answers.json' with { type: 'json' };
import type { Example, StreamName } from '../../core/api/examples/example.ts';
import { type Answers, exampleRequest, examples } from '../../core/api/examples/index.ts';
import type { JsonObject } from '../../core/api/json-schema.ts';
import type { OperationName } from '../../core/api/operations.ts';

const answers: Answers = recorded;

export interface DocumentedExamples {
  /** `examples` of the body, where the operation has one. */
  readonly body: JsonObject | undefined;
  /** By status. */
  readonly answers: ReadonlyMap<number, JsonObject>;
  /** Of the page of documentation: what each sends as it is sent, in order. */
  readonly requests: readonly JsonObject[];
}

export function documentedExamples(operation: OperationName | StreamName): DocumentedExamples {
  const own = examples.filter((example) => example.operation === operation);
  const sent = own.map((example) => ({ example, form: exampleRequest(example, answers) }));
  const bodies = sent.flatMap(({ example, form }) => (form.body === undefined ? [] : [[example, form.body] as const]));
  const byStatus = Map.groupBy(own, ({ name }) => answers[name]?.status ?? 0);
  return {
    body: bodies.length === 0 ? undefined : Object.fromEntries(bodies.map(([example, value]) => shown(example, value))),
    answers: new Map(
      [...byStatus].map(([status, those]) => [
        status,
        Object.fromEntries(those.map((example) => shown(example, answers[example.name]?.body))),
      ]),
    ),
    requests: sent.map(({ example: { name, title, isOurs }, form: { method, path, input } }) => ({
      name,
      title,
      method,
      path,
      input,
      isStock: isOurs !== true,
      status: answers[name]?.status ?? 0,
    })),
  };
}

const shown = ({ name, title }: Example, value: unknown): [string, JsonObject] => [name, { summary: title, value }];
