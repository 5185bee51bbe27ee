import { expect, test } from 'vitest';
import { parseEcrHost } from '../../../agent/images/ecr-host.ts';

test.each([
  ['123456789012.dkr.ecr.eu-central-1.amazonaws.com', 'eu-central-1', 'api.ecr.eu-central-1.amazonaws.com'],
  ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1', 'api.ecr.cn-north-1.amazonaws.com.cn'],
  ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1', 'ecr-fips.us-gov-west-1.amazonaws.com'],
  ['123456789012.dkr-ecr.us-east-1.on.aws', 'us-east-1', 'ecr.us-east-1.api.aws'],
  ['123456789012.dkr-ecr-fips.us-east-1.on.aws', 'us-east-1', 'ecr-fips.us-east-1.api.aws'],
])('%s is of %s, and its API at %s', (host, region, apiHost) => {
  expect(parseEcrHost(host)).toEqual({ region, apiHost });
});

test.each([
  'public.ecr.aws',
  'docker.io',
  '123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example',
  'evil.example/123456789012.dkr.ecr.eu-central-1.amazonaws.com',
  '12345.dkr.ecr.eu-central-1.amazonaws.com',
  '123456789012.dkr-ecr.eu-central-1.amazonaws.com',
  '123456789012.dkr.ecr.eu-central-1.on.aws',
  '123456789012.dkr.ecr.eu-central-1.amazonaws.com:5000',
])('%s is none', (host) => {
  expect(parseEcrHost(host)).toBeUndefined();
});
