/** What may be chosen about a control plane, each with what holds unless it is given; and what is refused at synth. */
import { Annotations, Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as events from 'aws-cdk-lib/aws-events';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { GantryRestoredTable } from './control-plane/table.ts';
import { defaultMetricsNamespace } from './control-plane.ts';
import { checkWholeNumber, PropError } from './prop-checks.ts';
import { WireFront } from './wire-front.ts';

/** Requests a second, and how many at once on top. */
export interface GantryThrottle {
  readonly rateLimit: number;
  readonly burstLimit: number;
}

/** Properties of a control plane. */
export interface GantryControlPlaneProps {
  /**
   * What becomes of the table, and of the key that seals access keys, when they leave the stack. With DESTROY the table has no
   * deletion protection.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * A table to go on with that was restored from a backup, instead of the control plane's own, which then leaves the stack.
   * docs/operating.md says what must be done with it first.
   * @default - a table of the control plane's own
   */
  readonly restoredTable?: GantryRestoredTable;
  /**
   * How often a host sends a heartbeat; it is silent after three. Each costs a request and a write unit.
   * @default Duration.seconds(60)
   */
  readonly heartbeat?: Duration;
  /**
   * How long stopped tasks can be described.
   * @default Duration.days(7)
   */
  readonly taskRetention?: Duration;
  /**
   * How long the audit log keeps calls that change something. Duration.days(0): there is none, and a call takes two write units less.
   * @default Duration.days(90)
   */
  readonly auditRetention?: Duration;
  /**
   * Where clients of the ECS wire protocol send their requests.
   * @default WireFront.cloudFront()
   */
  readonly wireFront?: WireFront;
  /**
   * Of the whole HTTP API.
   * @default - 1,000 requests a second, 2,000 at once
   */
  readonly throttle?: GantryThrottle;
  /**
   * Of the wire route alone, which anybody may call.
   * @default - 500 requests a second, 1,000 at once
   */
  readonly wireThrottle?: GantryThrottle;
  /**
   * Of the reads of one access key or IAM principal, in each running instance of `api`: what all of them let through is up to as many
   * times that as there are instances, which answer one request at a time each.
   * @default - 2,000 reads a second, 4,000 at once
   */
  readonly keyReads?: GantryThrottle;
  /**
   * Likewise of calls that change something.
   * @default - 1,000 calls a second, 2,000 at once
   */
  readonly keyMutations?: GantryThrottle;
  /**
   * Invocations that are kept free for hosts, so that no flood of requests silences them. A new account has 10 in all and refuses any
   * reservation: use 0, which reserves nothing, until its quota is raised.
   * @default 50
   */
  readonly hostsReservedConcurrency?: number;
  /**
   * Whether access keys are sealed with a KMS key (1 USD a month).
   * @default true
   */
  readonly accessKeyEncryption?: boolean;
  /**
   * Whether changes of tasks and container instances are put on an event bus.
   * @default true
   */
  readonly events?: boolean;
  /**
   * The bus that they are put on.
   * @default - a bus of this control plane
   */
  readonly eventBus?: events.IEventBus;
  /**
   * Whether hosts are bought for tasks that wait, where a capacity provider says so. Off, there is no function that may launch or end an
   * instance: hosts come and go by other hands, such as GantryHosts.
   * @default true
   */
  readonly fleet?: boolean;
  /**
   * Whether alarms are made.
   * @default true
   */
  readonly alarms?: boolean;
  /**
   * Who is told of an alarm.
   * @default - nobody
   */
  readonly alarmTopic?: sns.ITopic;
  /**
   * Whether a dashboard is made.
   * @default true
   */
  readonly dashboard?: boolean;
  /**
   * Whether the control plane counts metrics of its own (waiting tasks, silent hosts …), some dollars a month.
   * @default true
   */
  readonly metrics?: boolean;
  /**
   * @default 'Gantry'
   */
  readonly metricsNamespace?: string;
  /**
   * Whether X-Ray traces invocations.
   * @default false
   */
  readonly tracing?: boolean;
  /**
   * Whether each request of the HTTP API is logged.
   * @default true
   */
  readonly accessLogs?: boolean;
  /**
   * @default logs.RetentionDays.ONE_MONTH
   */
  readonly logRetention?: logs.RetentionDays;
  /**
   * DEBUG, INFO, WARN or ERROR.
   * @default lambda.ApplicationLogLevel.INFO
   */
  readonly logLevel?: lambda.ApplicationLogLevel;
}

type Optional = 'eventBus' | 'alarmTopic' | 'restoredTable' | 'keyReads' | 'keyMutations';
export type ControlPlaneSettings = Required<Omit<GantryControlPlaneProps, Optional>> &
  Pick<GantryControlPlaneProps, Optional>;

const defaults = {
  removalPolicy: RemovalPolicy.RETAIN,
  heartbeat: Duration.seconds(60),
  taskRetention: Duration.days(7),
  auditRetention: Duration.days(90),
  throttle: { rateLimit: 1_000, burstLimit: 2_000 },
  wireThrottle: { rateLimit: 500, burstLimit: 1_000 },
  hostsReservedConcurrency: 50,
  accessKeyEncryption: true,
  events: true,
  fleet: true,
  alarms: true,
  dashboard: true,
  metrics: true,
  metricsNamespace: defaultMetricsNamespace,
  tracing: false,
  accessLogs: true,
  logRetention: logs.RetentionDays.ONE_MONTH,
  logLevel: lambda.ApplicationLogLevel.INFO,
};

/** Lambda has others, which the functions' own logger has not. */
const { DEBUG, INFO, WARN, ERROR } = lambda.ApplicationLogLevel;
const logLevels: readonly lambda.ApplicationLogLevel[] = [DEBUG, INFO, WARN, ERROR];

/** Throws a PropError for what cannot be, and warns of what is seldom meant. */
export function settingsOf(scope: Construct, props: GantryControlPlaneProps): ControlPlaneSettings {
  const settings = { wireFront: WireFront.cloudFront(), ...defaults, ...props };
  checkWholeNumber(scope, 'heartbeat', settings.heartbeat.toSeconds(), { min: 10, max: 300, unit: 'seconds' });
  checkWholeNumber(scope, 'taskRetention', settings.taskRetention.toHours(), { min: 1, max: 8760, unit: 'hours' });
  checkWholeNumber(scope, 'auditRetention', settings.auditRetention.toDays(), { min: 0, max: 3650, unit: 'days' });
  const invocations = { min: 0, max: 100_000, unit: 'invocations' };
  checkWholeNumber(scope, 'hostsReservedConcurrency', settings.hostsReservedConcurrency, invocations);
  checkThrottle(scope, 'throttle', settings.throttle);
  checkThrottle(scope, 'wireThrottle', settings.wireThrottle);
  for (const prop of ['keyReads', 'keyMutations'] as const)
    if (settings[prop] !== undefined) checkThrottle(scope, prop, settings[prop]);
  if (!/^[\w./#:-]{1,255}$/.test(settings.metricsNamespace) || settings.metricsNamespace.startsWith('AWS/'))
    throw new PropError(
      scope,
      'metricsNamespace',
      settings.metricsNamespace,
      "1 to 255 letters, digits and . - _ / # :, and not begin with 'AWS/'",
    );
  if (!logLevels.includes(settings.logLevel))
    throw new PropError(scope, 'logLevel', settings.logLevel, 'DEBUG, INFO, WARN or ERROR');
  if (!settings.events && settings.eventBus !== undefined)
    throw new PropError(scope, 'eventBus', settings.eventBus.node.path, 'left out where events are switched off');
  warn(scope, settings);
  return settings;
}

function checkThrottle(scope: Construct, prop: string, { rateLimit, burstLimit }: GantryThrottle): void {
  const unit = 'requests a second';
  checkWholeNumber(scope, `${prop}.rateLimit`, rateLimit, { min: 1, max: 100_000, unit });
  checkWholeNumber(scope, `${prop}.burstLimit`, burstLimit, { min: 1, max: 100_000, unit: 'requests' });
}

function warn(scope: Construct, { alarms, alarmTopic, accessKeyEncryption }: ControlPlaneSettings): void {
  const annotations = Annotations.of(scope);
  if (alarms && alarmTopic === undefined)
    annotations.addInfo('Alarms have no alarmTopic: nobody is told of them. Give a topic, or switch alarms off.');
  if (!accessKeyEncryption)
    annotations.addWarningV2(
      'gantry:accessKeyEncryption',
      'Access keys are not sealed: whoever may read the table can use them. Leave accessKeyEncryption on where others read it.',
    );
}
