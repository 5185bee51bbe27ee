/** The construct library, `gantry/cdk`: everything that it offers, and nothing else. */
export type {
  GantryAction,
  GantryControlPlaneAttributes,
  IGantryControlPlane,
} from './control-plane.ts';
