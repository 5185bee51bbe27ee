/** What a sealed secret was sealed with is not what there is. Apart from the box, which is loaded only where there is one. */
export class UnopenedSecret extends Error {
  override readonly name = 'UnopenedSecret';

  constructor(owner: string, options?: ErrorOptions) {
    super(`the secret of ${owner} was sealed with a data key that this control plane does not have`, options);
  }
}
