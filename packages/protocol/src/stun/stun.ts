// STUN binding messages (RFC 8489) as ICE uses them (RFC 8445): what an agent needs that answers connectivity checks and sends none.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

const MAGIC_COOKIE = 0x2112a442;
const HEADER_LENGTH = 20;
const FINGERPRINT_XOR = 0x5354554e;
const INTEGRITY_LENGTH = 20;
/** Bytes of a USERNAME (RFC 8489 section 14.3). */
export const MAX_USERNAME = 508;

const types = { request: 0x0001, success: 0x0101 } as const;
const attributes = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  xorMappedAddress: 0x0020,
  fingerprint: 0x8028,
} as const;

export interface BindingMessage {
  class: 'request' | 'success';
  /** 12 bytes, a view into the message. */
  transactionId: Buffer;
  /** "ufrag of the receiver:ufrag of the sender" in a check. */
  username?: string;
}

/** Whether a datagram is STUN where DTLS and SRTP come too (RFC 7983 section 7). */
export function isStun(bytes: Buffer): boolean {
  return bytes.length >= HEADER_LENGTH && bytes[0]! < 4 && bytes.readUInt32BE(4) === MAGIC_COOKIE;
}

/** A Binding request or success response; undefined for anything else, and for what is not well-formed. */
export function parse(bytes: Buffer): BindingMessage | undefined {
  if (!isStun(bytes) || bytes.readUInt16BE(2) + HEADER_LENGTH !== bytes.length || bytes.length % 4 !== 0)
    return undefined;
  const type = bytes.readUInt16BE(0);
  const kind = type === types.request ? 'request' : type === types.success ? 'success' : undefined;
  const found = kind && attributeOffset(bytes, attributes.username);
  if (!kind || found === undefined) return undefined;
  const transactionId = bytes.subarray(8, HEADER_LENGTH);
  if (found < 0) return { class: kind, transactionId };
  const length = bytes.readUInt16BE(found + 2);
  if (length > MAX_USERNAME) return undefined;
  return { class: kind, transactionId, username: bytes.toString('utf8', found + 4, found + 4 + length) };
}

/** Whether a well-formed message carries the MESSAGE-INTEGRITY of this short-term password (RFC 8489 section 14.5). */
export function hasIntegrity(bytes: Buffer, password: string): boolean {
  if (!isStun(bytes)) return false;
  const at = attributeOffset(bytes, attributes.messageIntegrity);
  if (at === undefined || at < 0 || bytes.readUInt16BE(at + 2) !== INTEGRITY_LENGTH) return false;
  const told = bytes.subarray(at + 4, at + 4 + INTEGRITY_LENGTH);
  return timingSafeEqual(told, integrity(bytes.subarray(0, at), password));
}

/** The success response to a Binding request that came from `address` and `port`. */
export function writeBindingSuccess(
  transactionId: Uint8Array,
  address: string,
  port: number,
  password: string,
): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeUInt16BE(types.success, 0);
  header.writeUInt32BE(MAGIC_COOKIE, 4);
  header.set(transactionId.subarray(0, 12), 8);
  const mapped = attribute(attributes.xorMappedAddress, xorAddress(header, address, port));
  const authentic = Buffer.concat([header, mapped]);
  const body = Buffer.concat([authentic, attribute(attributes.messageIntegrity, integrity(authentic, password))]);
  body.writeUInt16BE(body.length - HEADER_LENGTH + 8, 2);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE((crc32(body) ^ FINGERPRINT_XOR) >>> 0);
  return Buffer.concat([body, attribute(attributes.fingerprint, sum)]);
}

/** Where an attribute begins, -1 when it is missing; undefined when attributes do not fill the message. */
function attributeOffset(bytes: Buffer, wanted: number): number | undefined {
  let found = -1;
  let at = HEADER_LENGTH;
  while (at + 4 <= bytes.length) {
    const [type, length] = [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2)];
    const next = at + 4 + ((length + 3) & ~3);
    if (next > bytes.length) return undefined;
    if (type === wanted && found < 0) found = at;
    at = next;
  }
  return at === bytes.length ? found : undefined;
}

/** HMAC-SHA1 over what is before the attribute, whose length the header's counts in. */
function integrity(before: Buffer, password: string): Buffer {
  const signed = Buffer.from(before);
  signed.writeUInt16BE(before.length - HEADER_LENGTH + 4 + INTEGRITY_LENGTH, 2);
  return createHmac('sha1', password).update(signed).digest();
}

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
}

/** XOR-MAPPED-ADDRESS (RFC 8489 section 14.2): cookie and transaction id are what is XORed with. */
function xorAddress(header: Buffer, address: string, port: number): Buffer {
  const bytes = address.includes(':') ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const value = Buffer.alloc(4 + bytes.length);
  value[1] = bytes.length === 16 ? 2 : 1;
  value.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2);
  for (const [index, byte] of bytes.entries()) value[4 + index] = byte ^ header[4 + index]!;
  return value;
}

function ipv6Bytes(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  const plain = address.replace(/%.*$/, '').replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left = '', right] = plain.split('::');
  const groups = (text = '') => text.split(':').filter((group) => group !== '');
  const tail = groups(right);
  for (const [index, group] of groups(left).entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  for (const [index, group] of tail.entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), 16 - (tail.length - index) * 2);
  return bytes;
}
