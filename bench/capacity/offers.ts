/** What the bench may buy: sizes of EC2's seventh generation at the list prices of us-east-1, and the one host of the placement tests. */
import type { Offer } from '../../core/model/capacity.ts';

const offer = (name: string, vcpus: number, gib: number, hourlyUsd: number): Offer => ({
  name,
  cpuUnits: vcpus * 1024,
  memoryMib: gib * 1024,
  architecture: 'x86_64',
  zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
  hourlyUsd,
  attributes: {},
});

const sizes: readonly (readonly [name: string, vcpus: number])[] = [
  ['large', 2],
  ['xlarge', 4],
  ['2xlarge', 8],
  ['4xlarge', 16],
  ['8xlarge', 32],
  ['12xlarge', 48],
  ['16xlarge', 64],
  ['24xlarge', 96],
  ['48xlarge', 192],
];

const family = (name: string, gibPerVcpu: number, usdPerVcpu: number): Offer[] =>
  sizes.map(([size, vcpus]) => offer(`${name}.${size}`, vcpus, vcpus * gibPerVcpu, vcpus * usdPerVcpu));

/** 32 vCPU and 128 GiB. */
export const oneOffer: Offer = offer('m7i.8xlarge', 32, 128, 32 * 0.0504);

export const manyOffers: readonly Offer[] = [
  ...family('c7i', 2, 0.044625),
  ...family('m7i', 4, 0.0504),
  ...family('r7i', 8, 0.06615),
];
