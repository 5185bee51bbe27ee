/** Launch templates with their versions, and which of them a request means. */
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { Ec2Error, invalidValue, missingParameter } from './errors.ts';
import type { Ids } from './ids.ts';

export interface TemplateVersion {
  readonly version: number;
  readonly data: RequestLaunchTemplateData;
  readonly createdAt: number;
  readonly description?: string;
}

export interface LaunchTemplate {
  readonly launchTemplateId: string;
  readonly name: string;
  readonly createdAt: number;
  readonly tags: Record<string, string>;
  readonly versions: TemplateVersion[];
  defaultVersion: number;
}

interface Reference {
  readonly LaunchTemplateId?: string | undefined;
  readonly LaunchTemplateName?: string | undefined;
  readonly Version?: string | undefined;
}

export class LaunchTemplates {
  readonly #now: () => number;
  readonly #ids: Ids;
  readonly #all: LaunchTemplate[] = [];

  constructor({ now, ids }: { now: () => number; ids: Ids }) {
    this.#now = now;
    this.#ids = ids;
  }

  get all(): readonly LaunchTemplate[] {
    return this.#all;
  }

  create(
    name: string,
    data: RequestLaunchTemplateData,
    tags: Record<string, string>,
    description?: string,
  ): LaunchTemplate {
    if (this.#all.some((template) => template.name === name)) {
      throw new Ec2Error('InvalidLaunchTemplateName.AlreadyExistsException', 'Launch template name already in use.');
    }
    const launchTemplateId = this.#ids.next('lt');
    const template = { launchTemplateId, name, createdAt: this.#now(), tags, versions: [], defaultVersion: 1 };
    this.#all.push(template);
    this.addVersion(template, data, description);
    return template;
  }

  addVersion(template: LaunchTemplate, data: RequestLaunchTemplateData, description?: string): TemplateVersion {
    const version = {
      version: template.versions.length + 1,
      data,
      createdAt: this.#now(),
      ...(description !== undefined && { description }),
    };
    template.versions.push(version);
    return version;
  }

  get({ LaunchTemplateId: id, LaunchTemplateName: name }: Reference): LaunchTemplate {
    if (id === undefined && name === undefined) throw missingParameter('LaunchTemplateId');
    if (id !== undefined && name !== undefined) {
      throw new Ec2Error(
        'InvalidParameterCombination',
        'The parameters LaunchTemplateId and LaunchTemplateName cannot be used together',
      );
    }
    if (id !== undefined && !/^lt-[0-9a-f]{8,17}$/.test(id)) {
      throw new Ec2Error('InvalidLaunchTemplateId.Malformed', `Invalid launch template id: ${id}`);
    }
    const template = this.#all.find((each) => each.launchTemplateId === id || each.name === name);
    if (template !== undefined) return template;
    throw id === undefined
      ? new Ec2Error(
          'InvalidLaunchTemplateName.NotFoundException',
          `The specified launch template, with template name ${name}, does not exist.`,
        )
      : new Ec2Error(
          'InvalidLaunchTemplateId.NotFound',
          `The specified launch template, with template ID ${id}, does not exist.`,
        );
  }

  /** What a request means that names none is the default version. */
  version(reference: Reference): { template: LaunchTemplate; version: TemplateVersion } {
    const template = this.get(reference);
    return { template, version: this.versionOf(template, reference.Version ?? '$Default') };
  }

  versionOf(template: LaunchTemplate, name: string): TemplateVersion {
    const number =
      name === '$Default' ? template.defaultVersion : name === '$Latest' ? template.versions.length : Number(name);
    if (!Number.isInteger(number)) throw invalidValue('Version', name);
    const version = template.versions.find((each) => each.version === number);
    if (version === undefined) {
      throw new Ec2Error(
        'InvalidLaunchTemplateId.VersionNotFound',
        `Could not find launch template version ${name} of ${template.launchTemplateId}.`,
      );
    }
    return version;
  }
}
