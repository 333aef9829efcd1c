import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** `| version (8) |`, then `| time (32) | zero or version (32) | random |` (RTMP 1.0, 5.2). */
export const VERSION = 3;
/** Bytes of C1, S1, C2 and S2. */
export const PACKET = 1536;
/** Bytes that a client sends before its first chunk, and a server. */
export const HANDSHAKE_LENGTH = 1 + 2 * PACKET;

const FIRST_PACKET_END = 1 + PACKET;
const DIGEST = 32;

// The digest handshake is not in the specification: Flash Player 9 brought it, and its keys are known to every implementation.
const COMMON_KEY = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');
const CLIENT_NAME = Buffer.from('Genuine Adobe Flash Player 001');
const SERVER_NAME = Buffer.from('Genuine Adobe Flash Media Server 001');
const CLIENT_KEY = Buffer.concat([CLIENT_NAME, COMMON_KEY]);
const SERVER_KEY = Buffer.concat([SERVER_NAME, COMMON_KEY]);

/** Where the digest lies: four bytes from here on, summed up, modulo 728, say how far behind them. */
const SCHEMES = [8, 772] as const;
const DIGEST_RANGE = 728;

function digestOffset(packet: Buffer, base: number): number {
  const sum = packet[base]! + packet[base + 1]! + packet[base + 2]! + packet[base + 3]!;
  return base + 4 + (sum % DIGEST_RANGE);
}

const hmac = (key: Buffer, ...parts: Buffer[]) => {
  const hash = createHmac('sha256', key);
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const digestOf = (packet: Buffer, offset: number, key: Buffer) =>
  hmac(key, packet.subarray(0, offset), packet.subarray(offset + DIGEST));

/** The base of the scheme by which a packet is signed, and its digest; undefined when it is not. */
function findDigest(packet: Buffer, key: Buffer): { base: number; digest: Buffer } | undefined {
  for (const base of SCHEMES) {
    const offset = digestOffset(packet, base);
    const digest = packet.subarray(offset, offset + DIGEST);
    if (timingSafeEqual(digestOf(packet, offset, key), digest)) return { base, digest };
  }
  return undefined;
}

/** C1 or S1 of random bytes, signed by a scheme when a base is given. */
function signedPacket(version: number, base: number | undefined, key: Buffer): Buffer {
  const packet = randomBytes(PACKET);
  packet.writeUInt32BE(0, 0);
  packet.writeUInt32BE(base === undefined ? 0 : version, 4);
  if (base !== undefined) {
    const offset = digestOffset(packet, base);
    digestOf(packet, offset, key).copy(packet, offset);
  }
  return packet;
}

/** S2 or C2 that shows who read the other's digest. */
function replyPacket(key: Buffer, digest: Buffer): Buffer {
  const packet = randomBytes(PACKET);
  const end = PACKET - DIGEST;
  hmac(hmac(key, digest), packet.subarray(0, end)).copy(packet, end);
  return packet;
}

/** Any version but 0: the peer answers with a digest. */
const SERVER_VERSION = 0x04050001;
const CLIENT_VERSION = 0x09007c02;

/** Collects a handshake's bytes, never more than it has, and says what to answer. */
abstract class Handshake {
  protected readonly collected = Buffer.alloc(HANDSHAKE_LENGTH);
  private length = 0;
  private fault: string | undefined;

  /** Why the peer does not speak RTMP. */
  get error(): string | undefined {
    return this.fault;
  }

  /** True once the peer's three packets are there. */
  get done(): boolean {
    return this.length === HANDSHAKE_LENGTH;
  }

  /** Takes what belongs to the handshake; returns how much that was, and what to send now. */
  receive(bytes: Buffer, from: number): { at: number; reply: Buffer | undefined } {
    const before = this.length;
    const count = bytes.copy(this.collected, before, from, from + HANDSHAKE_LENGTH - before);
    this.length += count;
    if (before === 0 && count > 0 && this.collected[0] !== VERSION) {
      this.fault = notRtmp(this.collected[0]!);
      return { at: from + count, reply: undefined };
    }
    const whole = before < FIRST_PACKET_END && this.length >= FIRST_PACKET_END;
    const reply = whole ? this.answer(this.collected.subarray(1, FIRST_PACKET_END)) : undefined;
    return { at: from + count, reply };
  }

  /** What to send once C1, or S1, is whole. */
  protected abstract answer(packet: Buffer): Buffer;
}

function notRtmp(first: number): string {
  if (first === 0x16) return 'TLS on a port for RTMP without TLS';
  if (first === 6 || first === 8) return 'RTMPE, which is not supported';
  if (first >= 0x41 && first <= 0x5a) return 'HTTP on a port for RTMP';
  return `a handshake of version ${first}`;
}

/** The server's side: S0, S1 and S2 go out when C0 and C1 are there; what C2 says is not looked at, as encoders differ. */
export class ServerHandshake extends Handshake {
  protected override answer(c1: Buffer): Buffer {
    // A client that knows no digest says version 0 (5.2.3).
    const signed = c1.readUInt32BE(4) === 0 ? undefined : findDigest(c1, CLIENT_NAME);
    const s1 = signedPacket(SERVER_VERSION, signed?.base, SERVER_NAME);
    const s2 = signed === undefined ? c1 : replyPacket(SERVER_KEY, signed.digest);
    return Buffer.concat([Buffer.of(VERSION), s1, s2]);
  }
}

/** How a client shakes hands: as specified, or signed by the scheme whose digest lies in the packet's first or second half. */
export type HandshakeKind = 'simple' | 'digest-first' | 'digest-second';

const BASES: Record<HandshakeKind, number | undefined> = {
  simple: undefined,
  'digest-first': SCHEMES[0],
  'digest-second': SCHEMES[1],
};

/** The client's side: `hello` goes first; C2 goes out when S0 and S1 are there. */
export class ClientHandshake extends Handshake {
  /** C0 and C1. */
  readonly hello: Buffer;
  private readonly signs: boolean;

  constructor(kind: HandshakeKind) {
    super();
    const base = BASES[kind];
    this.signs = base !== undefined;
    this.hello = Buffer.concat([Buffer.of(VERSION), signedPacket(CLIENT_VERSION, base, CLIENT_NAME)]);
  }

  /** True when S2 proves that the server read this client's digest, or echoes C1; ask once `done`. */
  get verified(): boolean {
    const s2 = this.collected.subarray(FIRST_PACKET_END);
    const c1 = this.hello.subarray(1);
    if (!this.signs) return s2.equals(c1);
    const digest = findDigest(c1, CLIENT_NAME)!.digest;
    const end = PACKET - DIGEST;
    return hmac(hmac(SERVER_KEY, digest), s2.subarray(0, end)).equals(s2.subarray(end));
  }

  protected override answer(s1: Buffer): Buffer {
    const signed = this.signs ? findDigest(s1, SERVER_NAME) : undefined;
    return signed === undefined ? Buffer.from(s1) : replyPacket(CLIENT_KEY, signed.digest);
  }
}
