import { createHmac } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { stun } from '@footlights/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IceLitePort } from './ice-lite.ts';

const peer = { iceUfrag: 'ours', icePwd: 'our password of 22 bytes', remotePwd: 'the password of the peer' };
const transactionId = Buffer.from('0123456789ab');

let agent: Socket;
let client: Socket;
let port: IceLitePort;
const sockets: Socket[] = [];

async function open(): Promise<Socket> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

beforeEach(async () => {
  [agent, client] = [await open(), await open()];
  port = await IceLitePort.open({ listenIp: '127.0.0.1', port: 0, agentPort: agent.address().port });
});

afterEach(() => {
  port.close();
  for (const socket of sockets.splice(0)) socket.close();
});

const received = async (socket: Socket) => (await once(socket, 'message')) as [Buffer, RemoteInfo];
const send = (from: Socket, packet: Buffer | string) => from.send(packet, port.port, '127.0.0.1');

/** Nothing comes to it for a moment that loopback does not need. */
async function nothingComes(socket: Socket): Promise<void> {
  const heard = vi.fn();
  socket.once('message', heard);
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.off('message', heard);
  expect(heard).not.toHaveBeenCalled();
}

/** A Binding request of the peer (RFC 8445 section 7.1.1). */
function check(ufrag: string, password: string): Buffer {
  const username = Buffer.from(`${ufrag}:peer`);
  const padded = Buffer.alloc((username.length + 3) & ~3);
  username.copy(padded);
  const head = Buffer.from('000100002112a442', 'hex');
  const name = Buffer.from([0, 6, 0, username.length]);
  const signed = Buffer.concat([head, transactionId, name, padded]);
  signed.writeUInt16BE(signed.length - 20 + 24, 2);
  const hmac = createHmac('sha1', password).update(signed).digest();
  return Buffer.concat([signed, Buffer.from([0, 8, 0, 20]), hmac]);
}

/** Connects the client; where the agent sees it. */
async function connect(from = client): Promise<RemoteInfo> {
  const arriving = received(agent);
  send(from, check(peer.iceUfrag, peer.icePwd));
  return (await arriving)[1];
}

test('what comes from a peer that has checked goes to the agent, and back', async () => {
  port.admit(peer);
  const seen = await connect();
  const back = received(client);
  agent.send('answer', seen.port, seen.address);
  expect(String((await back)[0])).toBe('answer');
  const onward = received(agent);
  send(client, 'media');
  expect(String((await onward)[0])).toBe('media');
});

test('whoever has not checked, has the wrong password, or has gone, is not heard', async () => {
  const leave = port.admit(peer);
  for (const packet of ['media', check('other', peer.icePwd), check(peer.iceUfrag, 'guess')])
    send(client, packet as Buffer);
  await nothingComes(agent);
  await connect();
  leave();
  send(client, 'media');
  send(client, check(peer.iceUfrag, peer.icePwd));
  await nothingComes(agent);
});

test("the agent's checks are answered in the place of a peer, until nothing has come from it for 10 s", async () => {
  const now = vi.spyOn(performance, 'now');
  now.mockReturnValue(1_000);
  port.admit(peer);
  const seen = await connect();
  const ask = () => agent.send(check('peer', peer.remotePwd), seen.port, seen.address);
  now.mockReturnValue(10_999);
  const answer = received(agent);
  ask();
  const [packet] = await answer;
  expect(stun.parse(packet)).toEqual({ class: 'success', transactionId });
  expect(stun.hasIntegrity(packet, peer.remotePwd)).toBe(true);
  now.mockReturnValue(11_000);
  ask();
  await nothingComes(agent);
  now.mockRestore();
  await nothingComes(client);
});

test('a peer whose address changes goes on from the new one', async () => {
  port.admit(peer);
  const before = await connect();
  const moved = await open();
  const seen = await connect(moved);
  expect(seen.port).not.toBe(before.port);
  const back = received(moved);
  agent.send('answer', seen.port, seen.address);
  expect(String((await back)[0])).toBe('answer');
  send(client, 'media');
  await nothingComes(agent);
});

test('a port that is taken is told', async () => {
  const { port: taken } = client.address();
  await expect(IceLitePort.open({ listenIp: '127.0.0.1', port: taken, agentPort: 1 })).rejects.toThrow('EADDRINUSE');
});
