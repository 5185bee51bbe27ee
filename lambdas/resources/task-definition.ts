/** `Custom::GantryTaskDefinition`: a revision. Its physical id and its attribute `Arn` are the revision's ARN. */
import { z } from 'zod';
import { inputError } from '../../control/http/call.ts';
import { describeTaskDefinition } from '../../control/operations/describe-task-definition.ts';
import { registerTaskDefinition } from '../../control/operations/register-task-definition.ts';
import { deregisterTaskDefinition } from '../../control/operations/retire-task-definitions.ts';
import type { Input } from '../../core/api/operations.ts';
import { operations } from '../../core/api/operations.ts';
import { parseArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import type { Made, ResourceContext, ResourceKind } from './kind.ts';

/** RegisterTaskDefinition's input as JSON text, because CloudFormation makes text of numbers and booleans. */
const propertiesSchema = z.object({ Definition: z.string() });
type Properties = z.infer<typeof propertiesSchema>;

export const taskDefinitionKind: ResourceKind<Properties> = {
  properties: propertiesSchema,
  create: register,
  update: async (context, properties, former, id) =>
    former?.Definition === properties.Definition ? madeOf(id) : register(context, properties),
  async delete(context, _, id) {
    // Another id is of one that was never made.
    if (parseArn(id)?.kind !== 'task-definition') return;
    try {
      await deregisterTaskDefinition(context, { taskDefinition: id });
    } catch (error) {
      if (!(error instanceof GantryError && error.code === 'ClientException')) throw error; // Does not exist.
    }
  },
};

const madeOf = (arn: string): Made => ({ id: arn, attributes: { Arn: arn } });

/** A request that comes twice registers once: the latest revision says who registered it. */
async function register(context: ResourceContext, { Definition }: Properties): Promise<Made> {
  const input = parseDefinition(Definition);
  const arn = `${context.stackId}/${context.logicalId}/${context.requestId}`;
  const latest = await latestRevision(context, input.family);
  if (latest?.registeredBy === arn) return madeOf(latest.taskDefinitionArn);
  const { taskDefinition } = await registerTaskDefinition(
    { ...context, principal: { ...context.principal, arn } },
    input,
  );
  return madeOf(taskDefinition.taskDefinitionArn);
}

async function latestRevision(context: ResourceContext, family: string) {
  try {
    return (await describeTaskDefinition(context, { taskDefinition: family })).taskDefinition;
  } catch (error) {
    if (error instanceof GantryError) return undefined; // The family is new, or its name is refused by registering.
    throw error;
  }
}

function parseDefinition(text: string): Input<'RegisterTaskDefinition'> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new GantryError('SerializationException', 'Definition is not JSON.', { field: 'Definition', cause });
  }
  const parsed = operations.RegisterTaskDefinition.input.safeParse(json);
  if (parsed.success) return parsed.data;
  throw inputError(parsed.error, json);
}
