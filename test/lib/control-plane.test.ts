import { RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { tableShape } from '../../control/store/table-shape.ts';
import { makeControlPlane } from './support/synth.ts';

const { template } = makeControlPlane();
const resources = (type: string): [string, Record<string, unknown>][] =>
  Object.entries(template.findResources(type)).map(([id, resource]) => [id, resource.Properties]);

describe('the table', () => {
  it('has the shape that the store expects', () => {
    const { partitionKey, sortKey, history, expiry } = tableShape;
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: partitionKey, KeyType: 'HASH' },
        { AttributeName: sortKey, KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: history.indexName,
          KeySchema: [
            { AttributeName: history.partitionKey, KeyType: 'HASH' },
            { AttributeName: history.sortKey, KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      TimeToLiveSpecification: { AttributeName: expiry, Enabled: true },
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    });
  });

  it('can be restored, and outlives its stack', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    });
  });
});

describe('the functions', () => {
  const functions = resources('AWS::Lambda::Function');

  it('are seven, on arm64 and Node 24, each with a log that ends', () => {
    expect(functions).toHaveLength(7);
    for (const [, properties] of functions)
      expect(properties).toMatchObject({
        Architectures: ['arm64'],
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'INFO', SystemLogLevel: 'WARN' },
      });
    for (const [, { RetentionInDays }] of resources('AWS::Logs::LogGroup')) expect(RetentionInDays).toBe(30);
  });

  it('know what they need, and no more', () => {
    const variables = new Map(
      functions.map(([id, { Environment, Description }]) => [
        /ControlPlane([A-Z][a-z]+)/.exec(id)?.[1] ?? String(Description),
        Object.keys(Object(Object(Environment).Variables))
          .filter((name) => name.startsWith('GANTRY_'))
          .toSorted(),
      ]),
    );
    const all = [
      'GANTRY_ACCOUNT_ID',
      'GANTRY_HEARTBEAT_SECONDS',
      'GANTRY_LOG_LEVEL',
      'GANTRY_RETENTION_SECONDS',
      'GANTRY_TABLE',
    ];
    const posts = 'GANTRY_CONNECTIONS_ENDPOINT';
    expect(Object.fromEntries(variables)).toEqual({
      Api: [...all, posts, 'GANTRY_AUDIT_SECONDS', 'GANTRY_EVENTS', 'GANTRY_KEY_ARN'].toSorted(),
      Hosts: [...all, 'GANTRY_KEY_ARN', 'GANTRY_WAKE_URL'].toSorted(),
      Wake: [...all, posts, 'GANTRY_FLEET_FUNCTION'].toSorted(),
      Events: [...all, 'GANTRY_EVENT_BUS'].toSorted(),
      Sweep: [...all, posts, 'GANTRY_EVENTS', 'GANTRY_KEY_ARN'].toSorted(),
      Fleet: [...all, 'GANTRY_CONTROL_PLANE'].toSorted(),
      Resources: [...all, posts].toSorted(),
    });
  });

  it('keep invocations free for hosts alone', () => {
    const reserved = functions.filter(([, properties]) => 'ReservedConcurrentExecutions' in properties);
    expect(reserved).toEqual([
      [expect.stringMatching(/^ControlPlaneHosts/), expect.objectContaining({ ReservedConcurrentExecutions: 50 })],
    ]);
  });

  it('have no name of their own, so that a second stack, or a second try, meets no first', () => {
    const physicalName = /^(Table|Function|LogGroup|Role|Queue|Alarm|Dashboard|Alias)Name$/;
    const named = template.toJSON().Resources;
    const names = Object.values(
      z.record(z.string(), z.looseObject({ Properties: z.looseObject({}).optional() })).parse(named),
    )
      .flatMap(({ Properties = {} }) => Object.keys(Properties))
      .filter((name) => physicalName.test(name));
    // An event source mapping names its function by reference.
    expect(new Set(names)).toEqual(new Set(['FunctionName']));
    for (const [, { FunctionName }] of resources('AWS::Lambda::EventSourceMapping'))
      expect(FunctionName).toEqual({ Ref: expect.any(String) });
  });
});

describe('the HTTP API', () => {
  it('asks IAM about REST, and leaves signatures that IAM does not know to the functions', () => {
    const routes = resources('AWS::ApiGatewayV2::Route').map(([, { RouteKey, AuthorizationType }]) => [
      RouteKey,
      AuthorizationType,
    ]);
    expect(Object.fromEntries(routes)).toEqual({
      'ANY /v1/{proxy+}': 'AWS_IAM',
      'POST /': 'NONE',
      'GET /healthz': 'NONE',
      'GET /readyz': 'NONE',
      'GET /openapi.json': 'NONE',
      'GET /docs': 'NONE',
      'ANY /hosts/v1/{proxy+}': 'NONE',
      $connect: 'NONE',
      $disconnect: 'NONE',
      $default: 'NONE',
    });
  });

  it('throttles the open wire route apart from the rest, and logs requests', () => {
    template.hasResource('AWS::ApiGatewayV2::Stage', {
      Properties: {
        StageName: '$default',
        AutoDeploy: true,
        DefaultRouteSettings: { ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 2000 },
        RouteSettings: { 'POST /': { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 } },
        AccessLogSettings: { Format: Match.stringLikeRegexp('requestId') },
      },
      // Settings of a route that is not there yet end a deployment.
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('HttpApiPOST')]),
    });
  });
});

describe('the WebSocket API', () => {
  it('swallows the frames that keep sockets open, without an invocation', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Integration', {
      IntegrationType: 'MOCK',
      RequestTemplates: { '200': '{"statusCode": 200}' },
      TemplateSelectionExpression: '200',
    });
  });

  it('tells agents and functions the address of its one stage', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', { StageName: 'hosts', AutoDeploy: true });
    const joined = JSON.stringify(resources('AWS::Lambda::Function'));
    expect(joined).toContain('wss://');
    // Of five functions: four post, and one tells agents where to dial.
    expect(joined.match(/\/hosts"\]\]/g)).toHaveLength(5);
  });
});

describe('the stream', () => {
  it('wakes two functions, which give up after an hour into a queue of their own', () => {
    const mappings = resources('AWS::Lambda::EventSourceMapping');
    expect(mappings).toHaveLength(2);
    for (const [, properties] of mappings)
      expect(properties).toMatchObject({
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        MaximumRecordAgeInSeconds: 3600,
        MaximumRetryAttempts: 10,
        StartingPosition: 'TRIM_HORIZON',
        DestinationConfig: {
          OnFailure: { Destination: { 'Fn::GetAtt': [expect.stringMatching(/DeadLetters/), 'Arn'] } },
        },
      });
    for (const [, properties] of resources('AWS::SQS::Queue'))
      expect(properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 3600 });
    template.allResourcesProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
  });
});

describe('the sweep', () => {
  it('runs each minute, once', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Target: {
        Input: '{"time":"<aws.scheduler.scheduled-time>"}',
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    });
  });

  it('runs when EC2 says that an instance ends', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.ec2'],
        'detail-type': ['EC2 Instance State-change Notification'],
        detail: { state: ['shutting-down', 'terminated'] },
      },
    });
  });
});

describe('the guard', () => {
  it('goes first: everything else is there while it asks whether anything runs', () => {
    const [guard] = Object.entries(template.findResources('Custom::GantryGuard'));
    const others = Object.keys(template.toJSON().Resources).filter((id) => id !== guard?.[0]);
    expect(others.length).toBeGreaterThan(70);
    expect(new Set(guard?.[1].DependsOn)).toEqual(new Set(others));
  });
});

describe('switches', () => {
  const off = makeControlPlane({
    accessKeyEncryption: false,
    events: false,
    fleet: false,
    alarms: false,
    dashboard: false,
    metrics: false,
    accessLogs: false,
    hostsReservedConcurrency: 0,
    keyMutations: { rateLimit: 5, burstLimit: 10 },
  }).template;

  it('bound keys where they answer', () => {
    const variables = Object.values(off.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => Object(Properties).Environment.Variables,
    );
    expect(variables.flatMap(({ GANTRY_MUTATION_RATE: rate }) => rate ?? [])).toEqual(['5/10']);
    expect(variables.flatMap(({ GANTRY_READ_RATE: rate }) => rate ?? [])).toEqual([]);
  });

  it.each(['AWS::KMS::Key', 'AWS::Events::EventBus', 'AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard'])(
    'make no %s',
    (type) => {
      expect(Object.keys(template.findResources(type)).length).toBeGreaterThan(0);
      off.resourceCountIs(type, 0);
    },
  );

  it('leave out the function that nothing needs, and tell the others', () => {
    off.resourceCountIs('AWS::Lambda::Function', 5);
    off.resourceCountIs('AWS::Lambda::EventSourceMapping', 1);
    off.allResourcesProperties('AWS::Lambda::Function', {
      Environment: { Variables: { POWERTOOLS_METRICS_DISABLED: 'true', POWERTOOLS_TRACE_ENABLED: 'false' } },
      ReservedConcurrentExecutions: Match.absent(),
    });
  });

  it('save the access log', () => {
    off.resourcePropertiesCountIs('AWS::ApiGatewayV2::Stage', { AccessLogSettings: Match.anyValue() }, 0);
  });
});

describe('removal', () => {
  it('destroys what it is told to destroy', () => {
    const { template: destroyed } = makeControlPlane({ removalPolicy: RemovalPolicy.DESTROY });
    destroyed.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Delete',
      Properties: { DeletionProtectionEnabled: false },
    });
    destroyed.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Delete' });
  });

  it('leaves no key behind that a failed deployment made', () => {
    template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  });
});
