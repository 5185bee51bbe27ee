/** Which media types of layers and configs make an image that runs here, of OCI and of Docker. Pure. */

const oci = 'application/vnd.oci.image.';
const docker = 'application/vnd.docker.';

/** By the type in a manifest, the one that containerd unpacks: it does not know Docker's name for zstd. */
const layerTypes: Readonly<Record<string, string>> = {
  [`${oci}layer.v1.tar`]: `${oci}layer.v1.tar`,
  [`${oci}layer.v1.tar+gzip`]: `${oci}layer.v1.tar+gzip`,
  [`${oci}layer.v1.tar+zstd`]: `${oci}layer.v1.tar+zstd`,
  [`${docker}image.rootfs.diff.tar`]: `${oci}layer.v1.tar`,
  [`${docker}image.rootfs.diff.tar.gzip`]: `${oci}layer.v1.tar+gzip`,
  [`${docker}image.rootfs.diff.tar.zstd`]: `${oci}layer.v1.tar+zstd`,
};

const configTypes: readonly string[] = [`${oci}config.v1+json`, `${docker}container.image.v1+json`];

/** Throws an Error whose message is a clause where a layer of this type cannot be had or unpacked. */
export function unpackedType(mediaType: string): string {
  const type = layerTypes[mediaType];
  if (type !== undefined) return type;
  if (/nondistributable|foreign/.test(mediaType))
    throw new Error(`a layer of it is not to be distributed (${mediaType}), so the registry does not hold it`);
  if (mediaType.includes('encrypted')) throw new Error(`a layer of it is encrypted (${mediaType})`);
  throw new Error(`it is no image of a container: it has a layer of the type ${mediaType}`);
}

/** Throws an Error whose message is a clause where this is the config of something else: a chart, a signature. */
export function checkConfigType(mediaType: string): void {
  if (!configTypes.includes(mediaType))
    throw new Error(`it is no image of a container: its config is of the type ${mediaType}`);
}
