/** Makes the DynamoDB table, for who has nobody else to make it. Touches no item. */
import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ResourceInUseException,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { GantryError } from '../../core/errors.ts';
import type { Backoff } from './backoff.ts';
import { tableShape } from './table-shape.ts';

/** One minute; a table takes some ten seconds. */
const creation = { pollMs: 200, maxPolls: 300 };

/**
 * Makes the table where it is not there and waits until it can be used; throws ClientException when a table of that name has another
 * shape. Repeatable at every point, so that several processes may start at once.
 */
export async function ensureTable(client: DynamoDBClient, tableName: string, backoff: Backoff): Promise<void> {
  let table = (await describe(client, tableName)) ?? (await createTable(client, tableName));
  for (let polls = 0; table?.TableStatus !== 'ACTIVE'; polls += 1) {
    if (polls === creation.maxPolls) throw unusable(tableName, `is not active: ${table?.TableStatus}`);
    await backoff.sleep(creation.pollMs);
    table = await describe(client, tableName);
  }
  if (!hasOurShape(table)) throw unusable(tableName, "has not the shape of Gantry's");
  const ttl = await client.send(new DescribeTimeToLiveCommand({ TableName: tableName }));
  if (ttl.TimeToLiveDescription?.TimeToLiveStatus !== 'DISABLED') return;
  const TimeToLiveSpecification = { AttributeName: tableShape.expiry, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName: tableName, TimeToLiveSpecification }));
}

const unusable = (tableName: string, why: string): GantryError =>
  new GantryError('ClientException', `The DynamoDB table ${tableName} ${why}.`, { hint: 'Name another table.' });

async function describe(client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function createTable(client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> {
  const { partitionKey, sortKey, history } = tableShape;
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
  const KeySchema = keySchema(partitionKey, sortKey);
  try {
    const made = await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [partitionKey, sortKey, history.partitionKey, history.sortKey].map(attribute),
        KeySchema,
        GlobalSecondaryIndexes: [
          {
            IndexName: history.indexName,
            KeySchema: keySchema(history.partitionKey, history.sortKey),
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      }),
    );
    return made.TableDescription;
  } catch (error) {
    if (error instanceof ResourceInUseException) return undefined; // Another process makes it just now.
    throw error;
  }
}

const keySchema = (partition: string, sort: string) => [
  { AttributeName: partition, KeyType: 'HASH' as const },
  { AttributeName: sort, KeyType: 'RANGE' as const },
];

function hasOurShape({ KeySchema = [], GlobalSecondaryIndexes = [] }: TableDescription): boolean {
  const { partitionKey, sortKey, history } = tableShape;
  const index = GlobalSecondaryIndexes.find(({ IndexName }) => IndexName === history.indexName);
  const names = [...KeySchema, ...(index?.KeySchema ?? [])].map(({ AttributeName }) => AttributeName);
  return names.join() === [partitionKey, sortKey, history.partitionKey, history.sortKey].join();
}
