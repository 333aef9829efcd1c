import { describe, expect, it } from 'vitest';
import { ClientHandshake, HANDSHAKE_LENGTH, type HandshakeKind, ServerHandshake } from './index.ts';

/** Both sides, fed pieces of `size` bytes. */
function shakeHands(kind: HandshakeKind, size: number) {
  const client = new ClientHandshake(kind);
  const server = new ServerHandshake();
  const deliver = (to: ClientHandshake | ServerHandshake, bytes: Buffer) => {
    const replies: Buffer[] = [];
    for (let start = 0; start < bytes.length; start += size) {
      const piece = bytes.subarray(start, start + size);
      const { at, reply } = to.receive(piece, 0);
      expect(at).toBe(piece.length);
      if (reply !== undefined) replies.push(reply);
    }
    return Buffer.concat(replies);
  };
  const answer = deliver(server, client.hello);
  const c2 = deliver(client, answer);
  expect(deliver(server, c2)).toHaveLength(0);
  return { client, server, answer, c2 };
}

describe.each<HandshakeKind>(['simple', 'digest-first', 'digest-second'])('a %s handshake', (kind) => {
  it.each([1, 100, 1536, 10_000])('succeeds in pieces of %i bytes', (size) => {
    const { client, server, answer, c2 } = shakeHands(kind, size);
    expect([client.hello.length + c2.length, answer.length]).toEqual([HANDSHAKE_LENGTH, HANDSHAKE_LENGTH]);
    expect([client.done, client.verified, server.done]).toEqual([true, true, true]);
  });
});

it('echoes a packet whose digest is wrong', () => {
  const { hello } = new ClientHandshake('digest-first');
  hello[1000]! ^= 1;
  const { reply } = new ServerHandshake().receive(hello, 0);
  expect(reply!.subarray(1 + 1536).equals(hello.subarray(1))).toBe(true);
});

it('is not verified by an answer that was changed', () => {
  for (const kind of ['simple', 'digest-first', 'digest-second'] as const) {
    const client = new ClientHandshake(kind);
    const { reply } = new ServerHandshake().receive(client.hello, 0);
    reply![2000]! ^= 1;
    client.receive(reply!, 0);
    expect([client.done, client.verified]).toEqual([true, false]);
  }
});

it('leaves what follows it', () => {
  const client = new ClientHandshake('simple');
  const bytes = Buffer.concat([client.hello, Buffer.alloc(1536), Buffer.from('chunks')]);
  const server = new ServerHandshake();
  expect(server.receive(bytes, 0).at).toBe(HANDSHAKE_LENGTH);
  expect(server.done).toBe(true);
  expect(server.receive(bytes, HANDSHAKE_LENGTH).at).toBe(HANDSHAKE_LENGTH);
});

it.each([
  [0x16, 'TLS on a port for RTMP without TLS'],
  [0x47, 'HTTP on a port for RTMP'],
  [6, 'RTMPE, which is not supported'],
  [2, 'a handshake of version 2'],
  [255, 'a handshake of version 255'],
])('refuses version %i', (version, error) => {
  const server = new ServerHandshake();
  expect(server.receive(Buffer.alloc(2000, version), 0).reply).toBeUndefined();
  expect(server.error).toBe(error);
});
