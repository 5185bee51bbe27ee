/** Posts a frame to a connection of the WebSocket API (`POST /@connections/ID`). */
import { type Signing, signedPost } from './signed-post.ts';

export interface GatewayOptions extends Omit<Signing, 'service'> {
  /** `https://…/<stage>`. */
  readonly endpoint: string;
}

export type PostFrame = (connectionId: string, frame: string, signal: AbortSignal) => Promise<'sent' | 'gone'>;

/** Throws where the frame was not taken and the connection is not known to be gone. */
export function framePoster({ endpoint, ...signing }: GatewayOptions): PostFrame {
  const base = new URL(endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  const post = signedPost({ ...signing, service: 'execute-api' });
  return async (connectionId, frame, signal) => {
    const status = await post(new URL(`@connections/${encodeURIComponent(connectionId)}`, base), {
      body: frame,
      signal,
    });
    if (status === 410) return 'gone';
    if (status < 300) return 'sent';
    throw new Error(`the WebSocket API answered ${status}`);
  };
}
