/** Puts an image, or an index of images, into a registry through the distribution API. Blobs that are there are not sent again. */
import type { Blob, Image, ImageIndex } from './image.ts';

export interface PushTarget {
  /** `http://127.0.0.1:5000` */
  readonly registryUrl: string;
  /** `team/hello` */
  readonly repository: string;
  readonly tag: string;
  readonly basicAuth?: { readonly username: string; readonly password: string };
}

export interface PushedImage {
  /** What a task definition names: `127.0.0.1:5000/team/hello:1`. */
  readonly reference: string;
  /** `sha256:…` of the manifest or index. */
  readonly digest: string;
}

/** Throws an Error with the registry's own words when it refuses. */
export async function pushImage(image: Image | ImageIndex, target: PushTarget): Promise<PushedImage> {
  const send = sender(target);
  if ('images' in image) {
    for (const member of image.images) {
      await pushBlobs(send, member);
      await pushManifest(send, member.manifest.digest, member.manifest);
    }
  } else await pushBlobs(send, image);
  await pushManifest(send, target.tag, image.manifest);
  const host = new URL(target.registryUrl).host;
  return { reference: `${host}/${target.repository}:${target.tag}`, digest: image.manifest.digest };
}

/** One request below the repository, or to the address that the registry named; answers only what is not an error. */
type Send = (path: string, init: RequestInit, accepted?: readonly number[]) => Promise<Response>;

function sender({ registryUrl, repository, basicAuth }: PushTarget): Send {
  const authorization =
    basicAuth && `Basic ${Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString('base64')}`;
  return async (path, init, accepted = []) => {
    const url = new URL(path, `${registryUrl}/v2/${repository}/`);
    const headers = new Headers(init.headers);
    if (authorization !== undefined) headers.set('authorization', authorization);
    const response = await fetch(url, { ...init, headers });
    if (response.ok || accepted.includes(response.status)) return response;
    throw new Error(
      `The registry answered ${init.method} ${url.href} with ${response.status}: ${await response.text()}`,
    );
  };
}

async function pushBlobs(send: Send, { blobs }: Image): Promise<void> {
  for (const blob of blobs) await pushBlob(send, blob);
}

async function pushBlob(send: Send, { digest, bytes }: Blob): Promise<void> {
  const found = await send(`blobs/${digest}`, { method: 'HEAD' }, [404]);
  if (found.ok) return;
  const upload = await send('blobs/uploads/', { method: 'POST' });
  const location = upload.headers.get('location');
  if (location === null) throw new Error(`The registry named no place to upload ${digest} to.`);
  const place = new URL(location, upload.url);
  place.searchParams.set('digest', digest);
  await send(place.href, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
}

async function pushManifest(send: Send, name: string, { mediaType, bytes }: Blob): Promise<void> {
  await send(`manifests/${name}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: new Uint8Array(bytes),
  });
}
