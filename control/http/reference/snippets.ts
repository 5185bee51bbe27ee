/** How an example is sent: by curl, the AWS CLI and gantry/client. */
import type { JsonObject } from '../../../core/api/json-schema.ts';

export interface ShownExample {
  readonly name: string;
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly input: JsonObject;
  /** Stock clients of ECS can send it. */
  readonly isStock: boolean;
  readonly status: number;
}

export interface Snippet {
  readonly language: string;
  readonly code: string;
}

/** `body`: what of the input is not in the path; undefined where there is none. */
export function snippetsOf(
  operation: string,
  example: ShownExample,
  { body, isWire }: { readonly body: unknown; readonly isWire: boolean },
): readonly Snippet[] {
  return [
    { language: 'curl', code: curl(example, body) },
    ...(isWire ? [{ language: 'AWS CLI', code: awsCli(operation, example) }] : []),
    { language: 'JavaScript', code: javaScript(operation, example) },
  ];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const json = (value: unknown): string => JSON.stringify(value, null, 2);

function curl({ method, path }: ShownExample, body: unknown): string {
  const sign = '--aws-sigv4 "aws:amz:$AWS_REGION:ecs" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"';
  const as = method === 'GET' || (method === 'POST' && body !== undefined) ? '' : ` --request ${method}`;
  const lines = [
    `curl${as} ${sign}`,
    ...(body === undefined ? [] : [`--json ${quoted(json(body))}`]),
    `"$GANTRY_ENDPOINT"${quoted(path)}`,
  ];
  return lines.join(' \\\n  ');
}

/** `run-task` of RunTask. */
const kebab = (operation: string): string => operation.replaceAll(/(?<!^)([A-Z])/g, '-$1').toLowerCase();

const awsCli = (operation: string, { input }: ShownExample): string =>
  [
    `aws ecs ${kebab(operation)} --endpoint-url "$AWS_ENDPOINT_URL_ECS"`,
    `--cli-input-json ${quoted(json(input))}`,
  ].join(' \\\n  ');

/** What the client has beside a method for each operation. */
const streams: Readonly<Record<string, string>> = {
  StreamEvents: 'for await (const event of client.events(INPUT)) console.log(event.headline);',
  WatchTask: 'for await (const line of client.watchTask(INPUT)) console.log(line);',
  ReadLogs: 'for await (const line of client.logs(INPUT)) console.log(line.text);',
};

function javaScript(operation: string, { input }: ShownExample): string {
  const method = operation.charAt(0).toLowerCase() + operation.slice(1);
  const form = streams[operation] ?? `const answer = await client.${method}(INPUT);`;
  return form.replace('INPUT', () => objectLiteral(input));
}

/** Names unquoted where they can be. */
const objectLiteral = (value: unknown): string =>
  json(value)
    .replaceAll(/^( *)"([A-Za-z_]\w*)":/gm, '$1$2:')
    .replaceAll(/"((?:[^"\\']|\\[^u"])*)"/g, "'$1'");
