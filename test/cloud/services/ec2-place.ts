/** EC2 and its price list within the account on loopback: IAM stands before both, and templates are those that the stack makes. */
import type { EC2Client } from '@aws-sdk/client-ec2';
import { type Ec2Options, type Ec2UnderTest, startEc2 } from '../../ec2/ec2.ts';
import { startPricing } from '../../ec2/pricing.ts';
import { ec2Client } from '../../ec2/sdk.ts';
import { ec2Calls, type TemplateFacts } from '../iam/ec2-calls.ts';
import type { Identities } from '../iam/identities.ts';
import { startGuard } from './guard.ts';

export interface Ec2Place extends AsyncDisposable {
  readonly ec2: Ec2UnderTest;
  /** Past IAM, as CloudFormation with its own rights. */
  readonly client: EC2Client;
  /** By id: what IAM asks about. */
  readonly templates: Map<string, TemplateFacts>;
  /** Where functions find both. */
  readonly endpoints: Readonly<Record<'AWS_ENDPOINT_URL_EC2' | 'AWS_ENDPOINT_URL_PRICING', string>>;
}

export async function startEc2Place(
  identities: Identities,
  options: Ec2Options & { readonly region: string; readonly account: string },
): Promise<Ec2Place> {
  const { region, account } = options;
  await using started = new AsyncDisposableStack();
  const ec2 = started.use(await startEc2(options));
  const pricing = started.use(await startPricing({ types: ec2.instanceTypes, region }));
  const templates = new Map<string, TemplateFacts>();
  const facts = {
    region,
    account,
    template: (id: string) => templates.get(id),
    instanceTags: (id: string) => ec2.instances().find(({ instanceId }) => instanceId === id)?.tags ?? {},
  };
  const guard = started.use(
    await startGuard(identities, {
      upstream: ec2.url,
      calls: (body) => ec2Calls(body, facts),
      refusal: (message) => ({
        status: 403,
        type: 'text/xml',
        body: `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>${message}</Message></Error></Errors></Response>`,
      }),
    }),
  );
  const priceGuard = started.use(
    await startGuard(identities, {
      upstream: pricing.url,
      calls: () => [{ action: 'pricing:GetProducts', resource: '*' }],
      refusal: (message) => ({
        status: 400,
        type: 'application/x-amz-json-1.1',
        body: JSON.stringify({ __type: 'AccessDeniedException', message }),
      }),
    }),
  );
  const client = ec2Client(ec2);
  started.defer(() => client.destroy());
  const all = started.move();
  return {
    ec2,
    client,
    templates,
    endpoints: { AWS_ENDPOINT_URL_EC2: guard.url, AWS_ENDPOINT_URL_PRICING: priceGuard.url },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
