/** The one table, in the shape of control/store/table-shape.ts: a new one, or one that is there already because it was restored. */
import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { tableShape } from '../../control/store/table-shape.ts';
import { exact } from '../exact.ts';

const text = (name: string): dynamodb.Attribute => ({ name, type: dynamodb.AttributeType.STRING });

export interface TableWithStream {
  readonly table: dynamodb.ITable;
  readonly streamArn: string;
}

/** A table that was restored from a backup, as AWS names it. */
export interface GantryRestoredTable {
  readonly tableName: string;
  /** ARN of its stream, which carries new and old images. */
  readonly tableStreamArn: string;
}

export function restoredTable(scope: Construct, { tableName, tableStreamArn }: GantryRestoredTable): TableWithStream {
  const table = dynamodb.Table.fromTableAttributes(scope, 'RestoredTable', { tableName, tableStreamArn });
  return { table, streamArn: tableStreamArn };
}

export function makeTable(scope: Construct, removalPolicy: RemovalPolicy): TableWithStream {
  const table = new dynamodb.Table(scope, 'Table', {
    partitionKey: text(tableShape.partitionKey),
    sortKey: text(tableShape.sortKey),
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: tableShape.expiry,
    // Both images: who reads the stream must see what a change was, not only what it made.
    stream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
    removalPolicy,
  });
  table.addGlobalSecondaryIndex({
    indexName: tableShape.history.indexName,
    partitionKey: text(tableShape.history.partitionKey),
    sortKey: text(tableShape.history.sortKey),
    projectionType: dynamodb.ProjectionType.ALL,
  });
  if (table.tableStreamArn === undefined) throw new Error('The table was made without its stream.');
  return { table: exact<dynamodb.ITable>(table), streamArn: table.tableStreamArn };
}
