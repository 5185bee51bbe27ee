/** The tags of what is bought on EC2: by them it is found again, and by them it is told whose it is. */
export const fleetTags = {
  /** `Order.id`. */
  order: 'gantry:order',
  cluster: 'gantry:cluster',
  provider: 'gantry:capacity-provider',
  /** Two control planes of one account never touch each other's instances. */
  controlPlane: 'gantry:control-plane',
} as const;
