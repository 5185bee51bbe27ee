/** A process that pulls one image, for a test to kill: `node test/support/pull-process.ts SOCKET NAMESPACE REFERENCE`. */
import { connect } from '../../agent/containerd/client.ts';
import { ImagePuller } from '../../agent/images/puller.ts';

const [socket = '', namespace = '', reference = ''] = process.argv.slice(2);
const client = connect(socket);
const puller = new ImagePuller({ containerd: client.withNamespace(namespace) });
await puller.pull(reference, { signal: new AbortController().signal });
client.close();
