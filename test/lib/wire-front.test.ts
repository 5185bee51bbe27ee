import { createContext, runInContext } from 'node:vm';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { renameHeaders, WireFront } from '../../lib/wire-front.ts';
import { makeControlPlane } from './support/synth.ts';

type Headers = Record<string, { value: string }>;

/** As CloudFront calls it: an event in, a request or a response out. */
function throughCloudFront(request: { method: string; uri: string; headers: Headers }): object {
  const context = createContext({ event: { request: structuredClone(request) } });
  return JSON.parse(String(runInContext(`${renameHeaders}; JSON.stringify(handler(event))`, context)));
}

const signed = {
  host: { value: 'd111.cloudfront.net' },
  authorization: { value: 'AWS4-HMAC-SHA256 …' },
  'content-type': { value: 'application/x-amz-json-1.1' },
  'x-amz-target': { value: 'AmazonEC2ContainerServiceV20141113.RunTask' },
};

describe('the function in CloudFront', () => {
  it('renames the target, hands on the host, and leaves the rest as it was signed', () => {
    const { 'x-amz-target': target, host, ...rest } = signed;
    expect(throughCloudFront({ method: 'POST', uri: '/', headers: signed })).toEqual({
      method: 'POST',
      uri: '/',
      headers: { ...rest, host, 'x-gantry-host': host, 'x-gantry-amz-target': target },
    });
  });

  it('believes nobody who brings the renamed headers along', () => {
    const forged = { value: 'forged' };
    const { 'x-amz-target': _, ...untargeted } = signed;
    const headers = { ...untargeted, 'x-gantry-host': forged, 'x-gantry-amz-target': forged };
    expect(throughCloudFront({ method: 'POST', uri: '/', headers })).toEqual({
      method: 'POST',
      uri: '/',
      headers: { ...untargeted, 'x-gantry-host': signed.host },
    });
  });

  it.each([
    ['GET', '/'],
    ['POST', '/v1/clusters'],
    ['POST', '/hosts/v1/register'],
  ])('lets %s %s go no further', (method, uri) => {
    expect(throughCloudFront({ method, uri, headers: signed })).toMatchObject({ statusCode: 404 });
  });
});

describe('CloudFront, the default', () => {
  const { template, controlPlane, stack } = makeControlPlane();

  it('forwards every header but the host, caches nothing, and speaks TLS alone', () => {
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        DefaultCacheBehavior: {
          // Managed-CachingDisabled and Managed-AllViewerExceptHostHeader.
          CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
          OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
          ViewerProtocolPolicy: 'https-only',
          AllowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
          FunctionAssociations: [{ EventType: 'viewer-request', FunctionARN: Match.anyValue() }],
        },
        Origins: [Match.objectLike({ CustomOriginConfig: Match.objectLike({ OriginProtocolPolicy: 'https-only' }) })],
      },
    });
    template.hasResourceProperties('AWS::CloudFront::Function', { FunctionCode: renameHeaders, AutoPublish: true });
  });

  it('is what clients of the wire protocol call', () => {
    const [distribution] = Object.keys(template.findResources('AWS::CloudFront::Distribution'));
    const url = { 'Fn::Join': ['', ['https://', { 'Fn::GetAtt': [distribution, 'DomainName'] }]] };
    expect(stack.resolve(controlPlane.wireEndpoint)).toEqual(url);
    expect(stack.resolve(controlPlane.endpoint)).not.toEqual(url);
  });

  it('takes a web ACL', () => {
    const webAclId = 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/1';
    const { template: guarded } = makeControlPlane({ wireFront: WireFront.cloudFront({ webAclId }) });
    guarded.hasResourceProperties('AWS::CloudFront::Distribution', { DistributionConfig: { WebACLId: webAclId } });
  });
});

describe('other fronts', () => {
  it('can be the HTTP API itself', () => {
    const { template, controlPlane } = makeControlPlane({ wireFront: WireFront.httpApi() });
    template.resourceCountIs('AWS::CloudFront::Distribution', 0);
    expect(controlPlane.wireEndpoint).toBe(controlPlane.endpoint);
  });

  it('can be a URL of the function, which verifies signatures itself', () => {
    const { template, controlPlane, stack } = makeControlPlane({ wireFront: WireFront.functionUrl() });
    template.resourceCountIs('AWS::CloudFront::Distribution', 0);
    template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' });
    expect(JSON.stringify(stack.resolve(controlPlane.wireEndpoint))).toContain('FunctionUrl');
  });
});
