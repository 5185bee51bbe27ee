/** The store that the cloud on this machine has, or is to have. */
import { openDynamoDbTable } from '../control/store/dynamodb.ts';
import { openSqliteTable } from '../control/store/sqlite.ts';
import type { Table } from '../control/store/table.ts';
import { type CloudOptions, cloudPaths } from './options.ts';

type StoreOptions = Pick<
  CloudOptions,
  'dataDir' | 'runDir' | 'store' | 'dynamodbEndpoint' | 'dynamodbTable' | 'region'
>;

/** Made where it is not there. Throws ClientException where another process has the file. */
export async function openTable(options: StoreOptions): Promise<Table> {
  if (options.store === 'sqlite') return openSqliteTable({ file: cloudPaths(options).database });
  const { dynamodbEndpoint: endpoint, dynamodbTable: tableName, region } = options;
  return openDynamoDbTable({ tableName, region, create: true, ...emulatorOf(endpoint) });
}

/** An emulator takes any key; AWS itself gets what the SDK finds. */
export const emulatorOf = (endpoint: string | undefined) =>
  endpoint === undefined ? {} : { endpoint, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
