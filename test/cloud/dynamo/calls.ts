/** DynamoDB requests as the calls that IAM decides on: which action on which resource, with the partition keys that it touches. Pure. */
import type { Wire } from '../../support/dynamodb-faults.ts';
import type { Call } from '../iam/policy.ts';

type Attributes = { readonly [name: string]: { readonly S?: string } };

export interface TableArns {
  readonly partitionKey: string;
  /** From a table's name. */
  readonly arnOf: (tableName: string) => string;
}

/** One a table, or one an element of a transaction. Throws on an operation that it does not know. */
export function callsOf(operation: string, input: Wire, tables: TableArns): Call[] {
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems')
    return (input.TransactItems as Wire[]).flatMap((element) =>
      Object.entries(element).map(([kind, member]) => itemCall(elementActions[kind], member as Wire, tables)),
    );
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem')
    return Object.entries(input.RequestItems as Wire).map(([name, request]) => ({
      action: `dynamodb:${operation}`,
      resource: tables.arnOf(name),
      context: leadingKeys(batchKeys(request, tables.partitionKey)),
    }));
  if (operation === 'Query') return [queryCall(input, tables)];
  if (itemOperations.includes(operation)) return [itemCall(operation, input, tables)];
  return [{ action: `dynamodb:${operation}`, resource: tables.arnOf(String(input.TableName)) }];
}

const itemOperations = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'];

const elementActions: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

function itemCall(action: string | undefined, member: Wire, { partitionKey, arnOf }: TableArns): Call {
  if (action === undefined) throw new Error(`this element of a transaction is not known: ${JSON.stringify(member)}`);
  const key = ((member.Key ?? member.Item) as Attributes)[partitionKey]?.S ?? '';
  return { action: `dynamodb:${action}`, resource: arnOf(String(member.TableName)), context: leadingKeys([key]) };
}

/** The partition is what the key condition compares for equality; in an index it is the index's own. */
function queryCall(input: Wire, { arnOf }: TableArns): Call {
  const [, placeholder = ''] = /=\s*(:\w+)/.exec(String(input.KeyConditionExpression)) ?? [];
  const value = (input.ExpressionAttributeValues as Attributes)[placeholder]?.S ?? '';
  const index = typeof input.IndexName === 'string' ? `/index/${input.IndexName}` : '';
  return {
    action: 'dynamodb:Query',
    resource: arnOf(String(input.TableName)) + index,
    context: leadingKeys([value]),
  };
}

function batchKeys(request: unknown, partitionKey: string): string[] {
  const { Keys = [] } = Object(request);
  return Keys.map((key: Attributes) => key[partitionKey]?.S ?? '');
}

const leadingKeys = (keys: readonly string[]) => ({ 'dynamodb:LeadingKeys': [...new Set(keys)] });
