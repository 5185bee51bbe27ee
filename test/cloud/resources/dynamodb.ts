/** AWS::DynamoDB::Table and GlobalTable: made in the emulator with keys, indexes and stream as the template says. */
import { z } from 'zod';
import { StreamReader } from '../stream/stream-reader.ts';
import { propertiesOf, type Reader } from './reader.ts';

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));

const tableSchema = z.object({
  TableName: z.string().optional(),
  BillingMode: z.literal('PAY_PER_REQUEST'),
  KeySchema: keySchema,
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.string() })),
  GlobalSecondaryIndexes: z
    .array(
      z.object({ IndexName: z.string(), KeySchema: keySchema, Projection: z.object({ ProjectionType: z.string() }) }),
    )
    .optional(),
  StreamSpecification: z.object({ StreamViewType: z.string() }).optional(),
});

export const dynamoDbTable: Reader = async (wanted) => {
  const { world, logicalId, former } = wanted;
  if (former !== undefined) return former;
  const { TableName: given, StreamSpecification, ...shape } = propertiesOf(tableSchema, wanted);
  const TableName = given ?? `${world.options.stackName}-${logicalId}`;
  const stream = StreamSpecification && { StreamSpecification: { StreamEnabled: true, ...StreamSpecification } };
  await world.emulator('DynamoDB', 'CreateTable', { TableName, ...shape, ...stream });
  const arn = world.arn('dynamodb', `table/${TableName}`);
  const streamArn = `${arn}/stream/2026-01-01T00:00:00.000`;
  if (stream !== undefined) {
    const source = { tableName: TableName, streamArn, region: world.options.region };
    const reader = new StreamReader(world.emulator, source);
    world.streams.set(streamArn, reader);
    reader.start();
  }
  return { id: TableName, attributes: { Arn: arn, StreamArn: streamArn } };
};
