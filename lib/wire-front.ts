/**
 * Where clients send the ECS wire protocol. API Gateway is likely to refuse `X-Amz-Target`, which that protocol needs, so what stands
 * before the `api` function is a choice. The verifier puts back whatever a front renames.
 */
import { Fn } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as origins from 'aws-cdk-lib/aws-cloudfront-origins';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** What a front may stand before. */
export interface WireFrontOptions {
  /** URL of the HTTP API, whose `POST /` is the wire route. */
  readonly apiUrl: string;
  /** The function behind that route. */
  readonly apiFunction: lambda.Function;
}

/** A front for the ECS wire protocol. */
export abstract class WireFront {
  /** CloudFront, with a function that renames the header that API Gateway refuses. Works with unmodified clients. */
  static cloudFront(props: CloudFrontWireFrontProps = {}): WireFront {
    return new CloudFrontWireFront(props);
  }

  /** The HTTP API itself: nothing in between, for accounts in which API Gateway lets `X-Amz-Target` pass. */
  static httpApi(): WireFront {
    return new HttpApiWireFront();
  }

  /** A URL of the function itself: nothing in between either, and no throttle but the function's concurrency. */
  static functionUrl(): WireFront {
    return new FunctionUrlWireFront();
  }

  /** Makes what the front is made of, and answers its URL, without a slash at its end. */
  abstract bind(scope: Construct, options: WireFrontOptions): string;
}

/** Properties of a CloudFront wire front. */
export interface CloudFrontWireFrontProps {
  /**
   * From which of CloudFront's places clients are served.
   * @default - North America and Europe, the cheapest class
   */
  readonly priceClass?: cloudfront.PriceClass;
  /**
   * ARN of a web ACL (in us-east-1, of scope CLOUDFRONT).
   * @default - none: the wire route has a throttle of its own
   */
  readonly webAclId?: string;
}

/**
 * Only what the wire protocol is passes: REST is signed for the API's own host name and would not verify behind another. Hands on the
 * host that the client signed, as CloudFront sends the origin's own.
 */
export const renameHeaders = `function handler(event) {
  var request = event.request;
  if (request.uri !== '/' || request.method !== 'POST') {
    return { statusCode: 404, statusDescription: 'Not Found' };
  }
  request.headers['x-gantry-host'] = { value: request.headers.host.value };
  delete request.headers['x-gantry-amz-target'];
  if (request.headers['x-amz-target']) {
    request.headers['x-gantry-amz-target'] = { value: request.headers['x-amz-target'].value };
    delete request.headers['x-amz-target'];
  }
  return request;
}
`;

class CloudFrontWireFront extends WireFront {
  readonly #props: CloudFrontWireFrontProps;

  constructor(props: CloudFrontWireFrontProps) {
    super();
    this.#props = props;
  }

  bind(scope: Construct, { apiUrl }: WireFrontOptions): string {
    const rename = new cloudfront.Function(scope, 'WireFrontRename', {
      comment: 'Gantry: renames the headers of the ECS protocol that API Gateway takes for its own.',
      runtime: cloudfront.FunctionRuntime.JS_2_0,
      code: cloudfront.FunctionCode.fromInline(renameHeaders),
    });
    const distribution = new cloudfront.Distribution(scope, 'WireFront', {
      comment: 'Gantry: the ECS wire protocol.',
      priceClass: this.#props.priceClass ?? cloudfront.PriceClass.PRICE_CLASS_100,
      httpVersion: cloudfront.HttpVersion.HTTP2,
      ...(this.#props.webAclId !== undefined && { webAclId: this.#props.webAclId }),
      defaultBehavior: {
        origin: new origins.HttpOrigin(hostOf(apiUrl), { protocolPolicy: cloudfront.OriginProtocolPolicy.HTTPS_ONLY }),
        viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
        allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
        cachePolicy: cloudfront.CachePolicy.CACHING_DISABLED,
        // Every other header is signed or may be: it must arrive as it was sent.
        originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        compress: false,
        functionAssociations: [{ function: rename, eventType: cloudfront.FunctionEventType.VIEWER_REQUEST }],
      },
    });
    acknowledge(distribution, {
      'AwsSolutions-CFR1': 'Clients are known by their keys, not by where they are.',
      'AwsSolutions-CFR2':
        "Requests without a valid signature end in 'api', behind the wire route's throttle; webAclId takes a web ACL.",
      'AwsSolutions-CFR3': 'Each request is in the access log of the HTTP API behind it.',
      'AwsSolutions-CFR4':
        "CloudFront's own certificate allows no minimum but its own; every client that signs SigV4 speaks TLS 1.2.",
    });
    return `https://${distribution.distributionDomainName}`;
  }
}

class HttpApiWireFront extends WireFront {
  bind(_scope: Construct, { apiUrl }: WireFrontOptions): string {
    return apiUrl;
  }
}

class FunctionUrlWireFront extends WireFront {
  bind(_scope: Construct, { apiFunction }: WireFrontOptions): string {
    const { url } = apiFunction.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.NONE });
    return `https://${hostOf(url)}`;
  }
}

const hostOf = (url: string): string => Fn.select(2, Fn.split('/', url));
