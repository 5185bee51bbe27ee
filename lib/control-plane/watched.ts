/** What alarms and the dashboard look at, and the metrics of each. */
import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { IGantryControlPlane } from '../control-plane.ts';
import { type Functions, type GantryFunction, listOf } from './functions.ts';

export interface Watched {
  readonly controlPlane: Pick<IGantryControlPlane, 'metricApi'>;
  readonly functions: Functions;
  readonly consumers: readonly StreamConsumer[];
  readonly table: dynamodb.ITable;
  /** Where the functions' own metrics are; undefined where they are switched off. */
  readonly ownMetrics: OwnMetrics | undefined;
}

/** A function that reads the table's stream, and where it leaves what it gives up on. */
export interface StreamConsumer {
  readonly reader: GantryFunction;
  readonly deadLetters: sqs.Queue;
}

export interface OwnMetrics {
  readonly namespace: string;
  readonly serviceName: string;
}

const period = Duration.minutes(5);

/** A metric of the control plane itself (control/deps.ts names them), over all of its clusters. */
export const ownMetric = (
  { namespace, serviceName }: OwnMetrics,
  { name, statistic, by, label }: { name: string; statistic: 'SUM' | 'MAX'; by?: string; label: string },
): cloudwatch.MathExpression =>
  new cloudwatch.MathExpression({
    expression: [
      `SELECT ${statistic}(${name}) FROM "${namespace}" WHERE service = '${serviceName}'`,
      ...(by === undefined ? [] : [`GROUP BY ${by}`]),
    ].join(' '),
    label,
    period,
  });

/** One sum for many functions, for one alarm instead of many. */
export const throttlesOf = (functions: Functions): cloudwatch.MathExpression =>
  sumOf(Object.fromEntries(listOf(functions).map((made) => [made.shortName, made.metricThrottles({ period })])));

export const tableThrottlesOf = (table: dynamodb.ITable): cloudwatch.MathExpression =>
  sumOf({
    reads: table.metric('ReadThrottleEvents', { period, statistic: 'Sum' }),
    writes: table.metric('WriteThrottleEvents', { period, statistic: 'Sum' }),
  });

const sumOf = (usingMetrics: Record<string, cloudwatch.IMetric>): cloudwatch.MathExpression =>
  new cloudwatch.MathExpression({ expression: Object.keys(usingMetrics).join(' + '), usingMetrics, period });
