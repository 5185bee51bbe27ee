/** AWS::CloudFront::Function and Distribution, as far as a front of one API needs them. */
import { z } from 'zod';
import { CloudFront } from '../gateway/cloud-front.ts';
import { propertiesOf, type Reader } from './reader.ts';

export const edgeFunction: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const schema = z.object({ Name: z.string(), FunctionCode: z.string(), AutoPublish: z.literal(true) });
  const { Name, FunctionCode } = propertiesOf(schema, wanted);
  const arn = world.globalArn('cloudfront', `function/${Name}`);
  world.edgeFunctions.set(arn, FunctionCode);
  return { id: arn, attributes: { FunctionARN: arn, 'FunctionMetadata.FunctionARN': arn, Stage: logicalId } };
};

const distributionSchema = z.object({
  DistributionConfig: z.object({
    Enabled: z.literal(true),
    Origins: z.array(z.object({ Id: z.string(), DomainName: z.string() })).length(1),
    DefaultCacheBehavior: z.object({
      AllowedMethods: z.array(z.string()),
      FunctionAssociations: z
        .array(z.object({ EventType: z.literal('viewer-request'), FunctionARN: z.string() }))
        .max(1)
        .default([]),
    }),
    CacheBehaviors: z.array(z.never()).default([]),
  }),
});

export const distribution: Reader = async (wanted) => {
  const { world, logicalId, former } = wanted;
  if (former !== undefined) return former;
  const { Origins, DefaultCacheBehavior } = propertiesOf(distributionSchema, wanted).DistributionConfig;
  const [origin] = Origins;
  const originAuthority = world.addresses.get(origin?.DomainName ?? '');
  if (origin === undefined || originAuthority === undefined)
    throw new Error(`${logicalId}: its origin is not on loopback`);
  if (!DefaultCacheBehavior.AllowedMethods.includes('POST')) throw new Error(`${logicalId} lets no POST through`);
  const [association] = DefaultCacheBehavior.FunctionAssociations;
  const id = `E${world.digest(logicalId, 13).toUpperCase()}`;
  const domainName = `d${world.digest(logicalId, 13)}.cloudfront.net`;
  const viewerRequest = association && world.edgeFunctions.get(association.FunctionARN);
  const made = new CloudFront({ domainName, originHost: origin.DomainName, originAuthority, viewerRequest });
  await made.start();
  world.distributions.set(id, made);
  world.addresses.set(domainName, made.authority);
  return { id, attributes: { DomainName: domainName, Id: id } };
};
