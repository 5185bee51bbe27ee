/** All that this EC2 is made of, as its actions see it. */
import type { CreateFleetRequest, CreateFleetResult } from '@aws-sdk/client-ec2';
import type { Capacity } from './capacity.ts';
import type { ClientTokens } from './client-tokens.ts';
import type { Ids } from './ids.ts';
import type { Catalog } from './instance-types.ts';
import type { Instances } from './instances.ts';
import type { Architectures } from './launch-data.ts';
import type { LaunchTemplates } from './launch-templates.ts';
import type { Launcher } from './launcher.ts';
import type { Subnets } from './subnets.ts';

export interface Fleet {
  readonly request: CreateFleetRequest;
  readonly answer: CreateFleetResult;
  readonly createdAt: number;
}

export interface World {
  readonly region: string;
  readonly account: string;
  readonly now: () => number;
  readonly pageSize: number | undefined;
  /** Undefined: any image will do. */
  readonly images: Architectures | undefined;
  readonly catalog: Catalog;
  readonly subnets: Subnets;
  readonly capacity: Capacity;
  readonly templates: LaunchTemplates;
  readonly instances: Instances;
  readonly launcher: Launcher;
  readonly tokens: ClientTokens;
  /** By id. */
  readonly fleets: Map<string, Fleet>;
  /** Of a repeated CreateFleet nothing but the fleet's id is told. */
  readonly terseRepeats: boolean;
  readonly ids: Ids;
}
