/**
 * What a request to EC2 needs of IAM, with the condition keys that AWS documents for each resource (service authorization reference): a
 * launch asks for everything that it makes and everything that it uses.
 */
import type { Call } from './policy.ts';

/** What a launch template says that IAM asks about. */
export interface TemplateFacts {
  readonly tags: Readonly<Record<string, string>>;
  readonly imageId: string;
  readonly roleArn: string | undefined;
}

export interface Ec2Facts {
  readonly region: string;
  readonly account: string;
  readonly template: (id: string) => TemplateFacts | undefined;
  readonly instanceTags: (instanceId: string) => Readonly<Record<string, string>>;
}

type Context = Readonly<Record<string, readonly string[]>>;

export function ec2Calls(body: string, facts: Ec2Facts): Call[] {
  const form = new URLSearchParams(body);
  const name = form.get('Action') ?? '';
  const action = `ec2:${name}`;
  if (name === 'RunInstances' || name === 'CreateFleet') return launching(name, form, facts);
  if (name === 'TerminateInstances')
    return valuesOf(form, /^InstanceId\.\d+$/).map((id) => ({
      action,
      resource: arn(facts, `instance/${id}`),
      context: tagContext('aws:ResourceTag', facts.instanceTags(id)),
    }));
  return [{ action, resource: '*' }];
}

const arn = ({ region, account }: Ec2Facts, resource: string): string => `arn:aws:ec2:${region}:${account}:${resource}`;

const valuesOf = (form: URLSearchParams, name: RegExp): string[] =>
  [...form].flatMap(([key, value]) => (name.test(key) ? [value] : []));

const tagContext = (key: 'aws:RequestTag' | 'aws:ResourceTag', tags: Readonly<Record<string, string>>): Context =>
  Object.fromEntries(Object.entries(tags).map(([tag, value]) => [`${key}/${tag}`, [value]]));

/** By the kind of what is tagged. */
function requestTags(form: URLSearchParams): Map<string, Record<string, string>> {
  const kinds = new Map<string, Record<string, string>>();
  for (const [key, kind] of form) {
    const [, index] = /^TagSpecification\.(\d+)\.ResourceType$/.exec(key) ?? [];
    if (index === undefined) continue;
    const tags = [...form].flatMap(([name, tag]) => {
      const [, at] = new RegExp(`^TagSpecification\\.${index}\\.Tag\\.(\\d+)\\.Key$`).exec(name) ?? [];
      return at === undefined ? [] : [[tag, form.get(`TagSpecification.${index}.Tag.${at}.Value`) ?? '']];
    });
    kinds.set(kind, Object.fromEntries(tags));
  }
  return kinds;
}

function launching(name: 'RunInstances' | 'CreateFleet', form: URLSearchParams, facts: Ec2Facts): Call[] {
  const tags = requestTags(form);
  const templates = [...new Set(valuesOf(form, /LaunchTemplateId$/))];
  const tagged = [...tags].map(([kind, own]) => ({
    action: 'ec2:CreateTags',
    resource: arn(facts, `${kind}/*`),
    context: { 'ec2:CreateAction': [name], ...tagContext('aws:RequestTag', own) },
  }));
  const isSpot = valuesOf(form, /(MarketType|DefaultTargetCapacityType)$/).includes('spot');
  const launch = { form, facts, tags, isSpot };
  const ids = templates.length === 0 ? [undefined] : templates;
  return [
    ...ids.flatMap((id) => [...runCalls(launch, id), ...(name === 'CreateFleet' ? fleetCalls(launch, id) : [])]),
    ...tagged,
  ];
}

interface Launch {
  readonly form: URLSearchParams;
  readonly facts: Ec2Facts;
  readonly tags: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly isSpot: boolean;
}

function runCalls({ form, facts, tags, isSpot }: Launch, templateId: string | undefined): Call[] {
  const action = 'ec2:RunInstances';
  const template = templateId === undefined ? undefined : facts.template(templateId);
  const by: Context =
    templateId === undefined ? {} : { 'ec2:LaunchTemplate': [arn(facts, `launch-template/${templateId}`)] };
  const from = (isTemplates: boolean): Context => ({ ...by, 'ec2:IsLaunchTemplateResource': [String(isTemplates)] });
  const made = (kind: string): Context => tagContext('aws:RequestTag', tags.get(kind) ?? {});
  const anybodys = { ...facts, account: '' };
  return [
    ...templateCall(action, facts, templateId, from(true)),
    { action, resource: arn(anybodys, 'image/*'), context: from(!form.has('ImageId')) },
    { action, resource: arn(facts, 'security-group/*'), context: from(!form.has('SecurityGroupId.1')) },
    { action, resource: arn(facts, 'subnet/*'), context: from(false) },
    { action, resource: arn(facts, 'network-interface/*'), context: from(false) },
    { action, resource: arn(facts, 'volume/*'), context: { ...from(true), ...made('volume') } },
    { action, resource: arn(facts, 'instance/*'), context: { ...from(false), ...made('instance') } },
    ...(isSpot ? [{ action, resource: arn(facts, 'spot-instances-request/*') }] : []),
    ...(template?.roleArn === undefined
      ? []
      : [
          {
            action: 'iam:PassRole',
            resource: template.roleArn,
            context: { 'iam:PassedToService': ['ec2.amazonaws.com'] },
          },
        ]),
    ...parameterCalls(template, facts),
  ];
}

/** EC2 reads the parameter that names the image in the name of whoever launches. */
function parameterCalls(template: TemplateFacts | undefined, { region, account }: Ec2Facts): Call[] {
  const [, path] = /^resolve:ssm:\/?(.+)$/.exec(template?.imageId ?? '') ?? [];
  if (path === undefined) return [];
  const owner = path.startsWith('aws/service/') ? '' : account;
  return [{ action: 'ssm:GetParameters', resource: `arn:aws:ssm:${region}:${owner}:parameter/${path}` }];
}

/** CreateFleet knows no keys about templates. */
function fleetCalls({ facts, tags }: Launch, templateId: string | undefined): Call[] {
  const action = 'ec2:CreateFleet';
  const made = (kind: string): Call => ({
    action,
    resource: arn(facts, `${kind}/*`),
    context: tagContext('aws:RequestTag', tags.get(kind) ?? {}),
  });
  return [
    ...templateCall(action, facts, templateId, {}),
    ...['fleet', 'instance', 'volume'].map(made),
    { action, resource: arn(facts, 'subnet/*') },
    { action, resource: arn({ ...facts, account: '' }, 'image/*') },
  ];
}

function templateCall(action: string, facts: Ec2Facts, id: string | undefined, context: Context): Call[] {
  if (id === undefined) return [];
  const tags = facts.template(id)?.tags ?? {};
  const resource = arn(facts, `launch-template/${id}`);
  return [{ action, resource, context: { ...context, ...tagContext('aws:ResourceTag', tags) } }];
}
