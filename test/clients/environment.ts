/** All that a client is told: the endpoint and the keys. Nothing of the machine's own configuration reaches it. */
import type { Credentials } from '../../client/signer.ts';

export const environmentFor = (api: {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
}): NodeJS.ProcessEnv => ({
  ...process.env,
  AWS_ENDPOINT_URL: api.endpoint,
  AWS_REGION: api.region,
  AWS_DEFAULT_REGION: api.region,
  AWS_ACCESS_KEY_ID: api.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: api.credentials.secretAccessKey,
  AWS_PAGER: '',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
});
