/** The client of EC2, and what all that ask it share: who we are there, and how long an answer may take. */
import { EC2Client } from '@aws-sdk/client-ec2';

export interface AwsAccess {
  readonly region: string;
  /** Any endpoint that speaks the protocol; the SDK's own choice without it (AWS_ENDPOINT_URL_…, then the region's). */
  readonly endpoint?: string | undefined;
  /** The SDK's default chain without them. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** A launch answers once its instances are there: some seconds. A repetition carries the same client token. */
const timeouts = { connectionTimeout: 2_000, requestTimeout: 20_000, throwOnRequestTimeout: true };

export const clientSettings = ({ region, endpoint, credentials }: AwsAccess) => ({
  region,
  ...(endpoint !== undefined && { endpoint }),
  ...(credentials !== undefined && { credentials }),
  maxAttempts: 2,
  requestHandler: timeouts,
});

export const openEc2Client = (access: AwsAccess): EC2Client => new EC2Client(clientSettings(access));
