/**
 * One Lambda function: starts execution environments as events come, up to its concurrency, uses a warm one where there is one, and
 * gives it exactly the environment that the template says beside Lambda's own variables. Knows nothing of what wakes it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { ExecutionEnvironment, maxPayloadBytes, type Outcome } from './execution-environment.ts';

export interface FunctionConfig {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  /** The bundle's file. */
  readonly entry: string;
  readonly handlerName: string;
  readonly runtime: string;
  readonly timeoutSeconds: number;
  readonly memoryMib: number;
  readonly reservedConcurrency: number | undefined;
  /** Of the template, resolved, beside what the platform adds (endpoints on loopback). */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the execution role. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly region: string;
}

export interface InvocationRecord {
  readonly coldStart: boolean;
  readonly milliseconds: number;
  readonly outcome: Outcome['kind'];
}

/** Of an account, for functions that reserve none: as many processes as a small machine bears. */
const unreservedConcurrency = 24;
const mostOutput = 4_000;

export class LambdaFunction {
  #config: FunctionConfig;
  #environments: ExecutionEnvironment[] = [];
  /** Of an older version, in the middle of an event. */
  readonly #replaced = new Set<ExecutionEnvironment>();
  /** What it wrote, the newest last. */
  readonly output: string[] = [];
  outputBytes = 0;
  readonly invocations: InvocationRecord[] = [];
  /** Called before an event is given to the function: tests hold or break it there. */
  beforeInvoke: ((event: unknown) => Promise<void>) | undefined;

  constructor(config: FunctionConfig) {
    this.#config = config;
  }

  get config(): FunctionConfig {
    return this.#config;
  }

  /** Gives the event to a free environment. Never rejects: failures are outcomes. */
  async invoke(event: unknown): Promise<Outcome> {
    const size = Buffer.byteLength(JSON.stringify(event));
    if (size > maxPayloadBytes) return tooLarge(size);
    if (this.beforeInvoke !== undefined) await this.beforeInvoke(event);
    const began = performance.now();
    this.#environments = this.#environments.filter(({ isAlive }) => isAlive);
    const warm = this.#environments.find(({ isBusy }) => !isBusy);
    const environment = warm ?? this.#startEnvironment();
    if (environment === undefined) return { kind: 'throttled' };
    const { timeoutSeconds } = this.#config;
    const request = { event, context: this.#context(), traceId: traceId() };
    const outcome = await environment.invoke(request, timeoutSeconds * 1000);
    // An old version ends with its last event.
    if (this.#replaced.delete(environment)) await environment.kill();
    const milliseconds = performance.now() - began;
    this.invocations.push({ coldStart: warm === undefined, milliseconds, outcome: outcome.kind });
    return outcome;
  }

  /** A new version: events that have begun end on the old one. */
  async replace(config: FunctionConfig): Promise<void> {
    this.#config = config;
    const [busy, idle] = [
      this.#environments.filter(({ isBusy }) => isBusy),
      this.#environments.filter(({ isBusy }) => !isBusy),
    ];
    this.#environments = [];
    for (const environment of busy) this.#replaced.add(environment);
    await Promise.all(idle.map((environment) => environment.kill()));
  }

  /** The next event meets no warm environment. */
  async cool(): Promise<void> {
    await Promise.all(this.#environments.filter(({ isBusy }) => !isBusy).map((environment) => environment.kill()));
  }

  /** Ends every environment, in the middle of what it does. */
  async kill(): Promise<void> {
    await Promise.all([...this.#environments, ...this.#replaced].map((environment) => environment.kill()));
  }

  #startEnvironment(): ExecutionEnvironment | undefined {
    const { entry, handlerName, reservedConcurrency = unreservedConcurrency } = this.#config;
    if (this.#environments.length >= reservedConcurrency) return undefined;
    const started = new ExecutionEnvironment({
      entry,
      handlerName,
      environment: this.#variables(),
      onOutput: (text) => {
        this.outputBytes += Buffer.byteLength(text);
        this.output.push(text);
        if (this.output.length > mostOutput) this.output.shift();
      },
    });
    this.#environments.push(started);
    return started;
  }

  /** Lambda's own variables, the template's, and nothing of this process. */
  #variables(): Record<string, string> {
    const { name, memoryMib, region, credentials, entry, handlerName, runtime, environment } = this.#config;
    return {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      LAMBDA_TASK_ROOT: entry.slice(0, entry.lastIndexOf('/')),
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      _HANDLER: `index.${handlerName}`,
      AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: `${memoryMib}`,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: `2026/01/01/[$LATEST]${randomBytes(16).toString('hex')}`,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: `session-of-${name}`,
      ...environment,
    };
  }

  #context(): Record<string, unknown> {
    const { name, arn, memoryMib } = this.#config;
    return {
      functionName: name,
      functionVersion: '$LATEST',
      invokedFunctionArn: arn,
      memoryLimitInMB: `${memoryMib}`,
      awsRequestId: randomUUID(),
      logGroupName: `/aws/lambda/${name}`,
      logStreamName: `2026/01/01/[$LATEST]${name}`,
      callbackWaitsForEmptyEventLoop: true,
    };
  }
}

const tooLarge = (size: number): Outcome => ({
  kind: 'failed',
  errorType: 'RequestEntityTooLargeException',
  errorMessage: `Request must be smaller than ${maxPayloadBytes} bytes for the InvokeFunction operation, this has ${size}`,
});

const traceId = (): string => {
  const id = randomBytes(12).toString('hex');
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${seconds}-${id};Parent=${id.slice(0, 16)};Sampled=0`;
};
