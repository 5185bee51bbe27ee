/** AWS::Events::EventBus and Rule, AWS::Scheduler::Schedule, AWS::SQS::Queue and AWS::KMS::Key. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isAllowed } from '../iam/policy.ts';
import type { LambdaFunction } from '../lambda/lambda-function.ts';
import { propertiesOf, type Reader } from './reader.ts';

export const eventBus: Reader = (wanted) => {
  const { Name } = propertiesOf(z.object({ Name: z.string() }), wanted);
  const arn = wanted.world.arn('events', `event-bus/${Name}`);
  return { id: Name, attributes: { Arn: arn, Name } };
};

const ruleSchema = z.object({
  EventPattern: z.record(z.string(), z.unknown()).optional(),
  ScheduleExpression: z.string().optional(),
  State: z.literal('ENABLED').default('ENABLED'),
  EventBusName: z.string().optional(),
  Targets: z.array(z.object({ Arn: z.string(), Id: z.string() })).default([]),
});

export const eventRule: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const { EventPattern, ScheduleExpression, Targets } = propertiesOf(ruleSchema, wanted);
  const arn = world.arn('events', `rule/${logicalId}`);
  for (const { Arn } of Targets) {
    if (!Arn.includes(':function:')) continue;
    const target = world.functionOf(Arn);
    world.afterwards.push(() => {
      const allowed = world.permissions.some(
        ({ functionArn, principal, sourceArn }) =>
          functionArn === target.config.arn && principal === 'events.amazonaws.com' && sourceArn === arn,
      );
      if (!allowed) throw new Error(`${logicalId}: no permission lets EventBridge call ${target.config.arn}`);
    });
    if (EventPattern !== undefined) world.rules.set(logicalId, { pattern: JSON.stringify(EventPattern), target });
    if (ScheduleExpression !== undefined)
      world.timers.set(logicalId, {
        logicalId,
        expression: ScheduleExpression,
        fire: () => call(target, scheduled(arn)),
      });
  }
  return { id: logicalId, attributes: { Arn: arn } };
};

const scheduled = (resource: string): object => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  time: new Date().toISOString(),
  resources: [resource],
  detail: {},
});

const scheduleSchema = z.object({
  ScheduleExpression: z.string(),
  State: z.literal('ENABLED').default('ENABLED'),
  FlexibleTimeWindow: z.object({ Mode: z.string() }),
  Target: z.object({ Arn: z.string(), RoleArn: z.string(), Input: z.string().optional() }),
});

export const schedule: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const { ScheduleExpression: expression, Target } = propertiesOf(scheduleSchema, wanted);
  const target = world.functionOf(Target.Arn);
  world.afterwards.push(() => {
    const statements = world.statementsOf(Target.RoleArn.split('/').at(-1) ?? '');
    if (!isAllowed(statements, { action: 'lambda:InvokeFunction', resource: Target.Arn }))
      throw new Error(`${logicalId}: ${Target.RoleArn} may not invoke ${Target.Arn}`);
  });
  // Without an input the scheduler sends an empty object.
  const event = (): object =>
    JSON.parse((Target.Input ?? '{}').replaceAll('<aws.scheduler.scheduled-time>', new Date().toISOString()));
  world.timers.set(logicalId, { logicalId, expression, fire: () => call(target, event()) });
  return { id: logicalId, attributes: { Arn: world.arn('scheduler', `schedule/default/${logicalId}`) } };
};

/** An asynchronous call: nobody hears what came of it; what failed shows in the function's invocations. */
async function call(target: LambdaFunction, event: object): Promise<void> {
  await target.invoke(event);
}

export const queue: Reader = ({ world, logicalId }) => {
  const name = `${world.options.stackName}-${logicalId}`;
  const arn = world.arn('sqs', name);
  if (!world.queues.has(arn)) world.queues.set(arn, []);
  const url = `https://sqs.${world.options.region}.amazonaws.com/${world.options.accountId}/${name}`;
  return { id: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
};

export const encryptionKey: Reader = ({ world, logicalId }) => {
  const id = world.digest(logicalId, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const arn = world.arn('kms', `key/${id}`);
  world.keys.add(arn);
  return { id, attributes: { Arn: arn, KeyId: id } };
};
