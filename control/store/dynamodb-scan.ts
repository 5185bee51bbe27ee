/** All items of a DynamoDB table, for who copies it whole. Only reads, strongly. */
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { itemOf } from './attribute-values.ts';
import { withRetries } from './backoff.ts';
import { connectDynamoDb, type DynamoDbTableOptions } from './dynamodb.ts';
import { isWorthRetrying, storeFault } from './dynamodb-errors.ts';
import type { Item } from './table.ts';

/** Page by page as DynamoDB makes them (1 MB at most), in no order; not as of one moment. */
export async function* scanDynamoDb(options: DynamoDbTableOptions): AsyncGenerator<readonly Item[]> {
  const { client, tableName: TableName, where, backoff } = connectDynamoDb(options);
  try {
    let from: Record<string, AttributeValue> | undefined;
    do {
      const command = new ScanCommand({ TableName, ConsistentRead: true, ...(from && { ExclusiveStartKey: from }) });
      const page = await withRetries(() => client.send(command), isWorthRetrying, backoff);
      yield (page.Items ?? []).map(itemOf);
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
  } catch (error) {
    throw storeFault(error, where);
  } finally {
    client.destroy();
  }
}
