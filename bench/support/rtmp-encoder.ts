import { connect, type Socket } from 'node:net';
import type { flv } from '@footlights/protocol';
import { rtmp } from '@footlights/protocol';

export interface Where {
  host: string;
  port: number;
}

/** Where a server's `endpoints.rtmp` is. */
export function whereOf(endpoint: string): Where {
  const { hostname: host, port } = new URL(endpoint.replace('rtmp:', 'http:'));
  return { host, port: Number(port) };
}

/** Connects with a stream key; `begin` is called when the server lets it publish, `refused` when it does not. */
export function openEncoder(
  { host, port }: Where,
  streamKey: string,
  begin: (client: rtmp.RtmpClientSession) => void,
  refused: (why: string) => void = () => {},
): Socket {
  const socket = connect({ host, port });
  const client: rtmp.RtmpClientSession = new rtmp.RtmpClientSession(
    {
      send: (bytes) => socket.write(bytes),
      publishing: () => begin(client),
      refused: (code, description) => refused(`${code} ${description}`),
      status: () => {},
      malformed: (description) => console.error(description),
    },
    { app: 'app', tcUrl: `rtmp://${host}:${port}/app`, streamKey, handshake: 'simple', chunkSize: 4_096 },
  );
  socket.on('data', (bytes) => client.receive(bytes));
  socket.on('error', (error) => console.error(error.message));
  client.start();
  return socket;
}

/** Sends tags when they are due; returns how to stop. */
export function play(client: rtmp.RtmpClientSession, tags: readonly flv.Tag[]): () => void {
  const started = performance.now();
  let next = 0;
  const timer = setInterval(() => {
    for (; next < tags.length; next++) {
      const tag = tags[next];
      if (!tag || started + tag.timestamp > performance.now()) return;
      if (tag.type === 8) client.audio(tag.timestamp, tag.data);
      else if (tag.type === 9) client.video(tag.timestamp, tag.data);
    }
  }, 5);
  return () => clearInterval(timer);
}
