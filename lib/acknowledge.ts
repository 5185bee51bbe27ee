/** Why a finding of a checker of templates (cdk-nag) is not one here. Kept beside the construct that it is about. */
import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Rules by their ids, for example `AwsSolutions-APIG4`, each with the reason why the construct is right all the same. */
export function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(construct).acknowledge({ id, reason });
}

/** Resources with a wildcard that the construct's policies name, with the reason why they name no less. */
export function acknowledgeWildcards(construct: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources) {
    const id = `AwsSolutions-IAM5[Resource::${flatten(Stack.of(construct).resolve(resource))}]`;
    acknowledge(construct, { [id]: reason });
  }
}

/** An ARN as findings write it: `<Api.Arn>/*`. */
function flatten(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part);
  if ('Ref' in part) return `<${String(part.Ref)}>`;
  if ('Fn::GetAtt' in part && Array.isArray(part['Fn::GetAtt'])) return `<${part['Fn::GetAtt'].join('.')}>`;
  if (!('Fn::Join' in part) || !Array.isArray(part['Fn::Join'])) return JSON.stringify(part);
  const [separator, parts] = part['Fn::Join'];
  return Array.isArray(parts) ? parts.map(flatten).join(String(separator)) : JSON.stringify(part);
}
