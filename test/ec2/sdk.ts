/** The unmodified SDK, pointed at an endpoint of ours. */
import { EC2Client } from '@aws-sdk/client-ec2';

/** @param maxAttempts 1: what goes wrong is seen, not tried again */
export const ec2Client = (
  { url, region }: { readonly url: string; readonly region: string },
  maxAttempts = 1,
): EC2Client =>
  new EC2Client({
    endpoint: url,
    region,
    maxAttempts,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' },
  });
