/** Launch templates over the wire. */
import {
  CreateLaunchTemplate$,
  type CreateLaunchTemplateRequest,
  CreateLaunchTemplateVersion$,
  type CreateLaunchTemplateVersionRequest,
  DescribeLaunchTemplates$,
  type DescribeLaunchTemplatesRequest,
  DescribeLaunchTemplateVersions$,
  type DescribeLaunchTemplateVersionsRequest,
  type LaunchTemplateVersion,
  type LaunchTemplate as LaunchTemplateView,
  ModifyLaunchTemplate$,
  type ModifyLaunchTemplateRequest,
} from '@aws-sdk/client-ec2';
import { missingParameter } from '../errors.ts';
import { type Facets, filtered } from '../filters.ts';
import { merged } from '../launch-data.ts';
import type { LaunchTemplate, TemplateVersion } from '../launch-templates.ts';
import { paged } from '../pages.ts';
import { specifiedTags, tagList } from '../tags.ts';
import type { World } from '../world.ts';
import { type Operation, operation, refuseDryRun } from './operation.ts';

export const launchTemplateOperations = (world: World): Operation[] => [
  operation(CreateLaunchTemplate$, (request: CreateLaunchTemplateRequest) =>
    world.tokens.once({ scope: 'CreateLaunchTemplate' }, request, () => create(world, request)),
  ),
  operation(CreateLaunchTemplateVersion$, (request: CreateLaunchTemplateVersionRequest) =>
    world.tokens.once({ scope: 'CreateLaunchTemplateVersion' }, request, () => createVersion(world, request)),
  ),
  operation(ModifyLaunchTemplate$, (request: ModifyLaunchTemplateRequest) => modify(world, request)),
  operation(DescribeLaunchTemplates$, (request: DescribeLaunchTemplatesRequest) => describe(world, request)),
  operation(DescribeLaunchTemplateVersions$, (request: DescribeLaunchTemplateVersionsRequest) =>
    describeVersions(world, request),
  ),
];

function create(world: World, request: CreateLaunchTemplateRequest): { LaunchTemplate: LaunchTemplateView } {
  const { LaunchTemplateName: name = '', LaunchTemplateData: data = {}, VersionDescription: description } = request;
  const tags = specifiedTags(request.TagSpecifications, 'launch-template');
  refuseDryRun(request);
  return { LaunchTemplate: templateView(world.templates.create(name, data, tags, description)) };
}

function createVersion(world: World, request: CreateLaunchTemplateVersionRequest) {
  const template = world.templates.get(request);
  const source =
    request.SourceVersion === undefined ? {} : world.templates.versionOf(template, request.SourceVersion).data;
  const data = merged(source, request.LaunchTemplateData ?? {});
  refuseDryRun(request);
  const version = world.templates.addVersion(template, data, request.VersionDescription);
  return { LaunchTemplateVersion: versionView(template, version) };
}

function modify(world: World, request: ModifyLaunchTemplateRequest): { LaunchTemplate: LaunchTemplateView } {
  const template = world.templates.get(request);
  if (request.DefaultVersion === undefined) throw missingParameter('SetDefaultVersion');
  const { version } = world.templates.versionOf(template, request.DefaultVersion);
  refuseDryRun(request);
  template.defaultVersion = version;
  return { LaunchTemplate: templateView(template) };
}

function describe(world: World, request: DescribeLaunchTemplatesRequest) {
  const { LaunchTemplateIds: ids = [], LaunchTemplateNames: names = [], Filters } = request;
  refuseDryRun(request);
  const named = [
    ...ids.map((LaunchTemplateId) => world.templates.get({ LaunchTemplateId })),
    ...names.map((LaunchTemplateName) => world.templates.get({ LaunchTemplateName })),
  ];
  const known = named.length > 0 ? [...new Set(named)] : world.templates.all;
  const facets: Facets<LaunchTemplate> = {
    'launch-template-name': ({ name }) => name,
    'create-time': ({ createdAt }) => new Date(createdAt).toISOString(),
  };
  const matching = filtered(known, Filters, facets, ({ tags }) => tags);
  const rules = { list: 'launch-templates', bounds: [1, 200] as const, pageSize: world.pageSize };
  const { page, NextToken } = paged(matching, ({ name }) => name, request, rules);
  return { LaunchTemplates: page.map(templateView), NextToken };
}

function describeVersions(world: World, request: DescribeLaunchTemplateVersionsRequest) {
  const template = world.templates.get(request);
  refuseDryRun(request);
  const { Versions: names = [], MinVersion, MaxVersion } = request;
  const named = names.map((name) => world.templates.versionOf(template, name));
  const known = (named.length > 0 ? [...new Set(named)] : template.versions).filter(
    ({ version }) => version >= Number(MinVersion ?? 1) && version <= Number(MaxVersion ?? Number.POSITIVE_INFINITY),
  );
  const facets: Facets<TemplateVersion> = {
    'is-default-version': ({ version }) => `${version === template.defaultVersion}`,
    'image-id': ({ data }) => data.ImageId,
    'instance-type': ({ data }) => data.InstanceType,
  };
  const matching = filtered(known, request.Filters, facets);
  const rules = {
    list: `versions of ${template.launchTemplateId}`,
    bounds: [1, 200] as const,
    pageSize: world.pageSize,
  };
  const { page, NextToken } = paged(matching, ({ version }) => `${version}`.padStart(8, '0'), request, rules);
  return { LaunchTemplateVersions: page.map((version) => versionView(template, version)), NextToken };
}

const templateView = ({
  launchTemplateId,
  name,
  createdAt,
  tags,
  ...template
}: LaunchTemplate): LaunchTemplateView => ({
  LaunchTemplateId: launchTemplateId,
  LaunchTemplateName: name,
  CreateTime: new Date(createdAt),
  DefaultVersionNumber: template.defaultVersion,
  LatestVersionNumber: template.versions.length,
  Tags: tagList(tags),
});

const versionView = (
  template: LaunchTemplate,
  { version, data, createdAt, description }: TemplateVersion,
): LaunchTemplateVersion => ({
  LaunchTemplateId: template.launchTemplateId,
  LaunchTemplateName: template.name,
  VersionNumber: version,
  VersionDescription: description,
  CreateTime: new Date(createdAt),
  DefaultVersion: version === template.defaultVersion,
  LaunchTemplateData: data,
});
