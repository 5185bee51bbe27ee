/** The programs of the Python environments that `npm run test:clients` makes. */
import { join } from 'node:path';

export function pythonProgram(client: 'boto3' | 'airflow' | 'dagster' | 'prefect', name: string): string {
  const directory = process.env[`GANTRY_CLIENT_${client.toUpperCase()}`];
  if (directory === undefined) throw new Error('Run `npm run test:clients`, which installs the clients.');
  return join(directory, name);
}
