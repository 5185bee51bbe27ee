/** The same day with different scalers: what each pays, and how long pods wait. */
import type { Offer } from '../../core/model/capacity.ts';
import { boundByMinute } from './bound.ts';
import { Cluster, type Scaler } from './cluster.ts';
import { manyOffers, oneOffer } from './offers.ts';
import { AlarmScaler, PlanScaler } from './scalers.ts';
import { compress, type Pod, podsThatFit } from './trace.ts';

export interface DaySetting {
  readonly compress: number;
  readonly bootSeconds: number;
  readonly hours: number;
}

export interface Day {
  readonly name: string;
  readonly offers: number;
  readonly hostHours: number;
  readonly emptyHours: number;
  readonly paidUsd: number;
  readonly boundUsd: number;
  readonly mostHosts: number;
  /** Seconds. */
  readonly waits: readonly number[];
  readonly moves: number;
}

interface Contender {
  readonly name: string;
  readonly offers: readonly Offer[];
  readonly scaler: Scaler;
  /** Pods are placed at random where the product's own placement is not wanted. */
  readonly random?: boolean;
}

const moving = { consolidation: 'replace', maxDraining: 10 } as const;

const contenders = (): readonly Contender[] => [
  { name: 'alarm, same placement', offers: [oneOffer], scaler: new AlarmScaler(oneOffer) },
  { name: 'alarm, random placement', offers: [oneOffer], scaler: new AlarmScaler(oneOffer), random: true },
  { name: 'plan', offers: [oneOffer], scaler: new PlanScaler([oneOffer]) },
  { name: 'plan, pods replaceable', offers: [oneOffer], scaler: new PlanScaler([oneOffer], moving) },
  { name: 'plan', offers: manyOffers, scaler: new PlanScaler(manyOffers) },
  { name: 'plan, pods replaceable', offers: manyOffers, scaler: new PlanScaler(manyOffers, moving) },
];

export function* measureDay(all: readonly Pod[], setting: DaySetting): Generator<Day> {
  const horizon = setting.hours * 3600;
  // The same pods for all: those that the one host holds.
  const pods = compress(podsThatFit(all, [oneOffer]), setting.compress).filter(({ arrivesAt }) => arrivesAt < horizon);
  for (const { name, offers, scaler, random } of contenders()) {
    const cluster = new Cluster(pods, setting.bootSeconds, random === true ? [{ type: 'random' }] : []);
    cluster.run(scaler, horizon);
    yield {
      name,
      offers: offers.length,
      hostHours: cluster.paidHours,
      emptyHours: cluster.emptyHours,
      paidUsd: cluster.paidUsd,
      boundUsd: boundByMinute(pods, offers, horizon),
      mostHosts: cluster.mostHosts,
      waits: cluster.waits,
      moves: cluster.moves,
    };
  }
}
