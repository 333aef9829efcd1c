import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';

/** A DTLS or TLS identity. */
export interface Certificate {
  certificatePem: string;
  keyPem: string;
  /** SHA-256 of the DER form, as SDP writes it (RFC 8122 section 5). */
  fingerprintSha256: string;
}

const DAY_MS = 86_400_000;

/**
 * A fresh P-256 key and its self-signed certificate: what WebRTC peers expect (RFC 8827 section 6.5). With host names or IP
 * addresses it is one for a TLS server of these (RFC 5280 section 4.2.1.6).
 */
export function makeCertificate(now: Date, hosts: readonly string[] = []): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(OID_COMMON_NAME, utf8String('footlights'))));
  const body = sequence(
    element(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime(new Date(now.getTime() - DAY_MS)), utcTime(new Date(now.getTime() + 3650 * DAY_MS))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(hosts.length > 0 ? [element(0xa3, sequence(subjectAltName(hosts)))] : []),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, ECDSA_WITH_SHA256, element(0x03, Buffer.of(0), signature));
  return {
    certificatePem: pem('CERTIFICATE', der),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprintSha256: fingerprint(der),
  };
}

/** One DER element: tag, length, content (X.690 section 8.1). */
function element(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}

const sequence = (...parts: Uint8Array[]) => element(0x30, ...parts);
const set = (...parts: Uint8Array[]) => element(0x31, ...parts);
const integer = (value: Buffer) => element(0x02, value);
const utf8String = (text: string) => element(0x0c, Buffer.from(text));

const OID_COMMON_NAME = element(0x06, Buffer.of(0x55, 0x04, 0x03));
const OID_SUBJECT_ALT_NAME = element(0x06, Buffer.of(0x55, 0x1d, 0x11));
/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758 section 3.2). */
const ECDSA_WITH_SHA256 = sequence(element(0x06, Buffer.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02)));

/** `dNSName` or `iPAddress` of each host. */
function subjectAltName(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) === 0 ? element(0x82, Buffer.from(host, 'latin1')) : element(0x87, addressBytes(host)),
  );
  return sequence(OID_SUBJECT_ALT_NAME, element(0x04, sequence(...names)));
}

/** 4 bytes of an IPv4 address, 16 of an IPv6 one. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // A URL has it without IPv4 notation, and with one `::` at most.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** YYMMDDHHMMSSZ; good until 2049 (RFC 5280 section 4.1.2.5.1). */
function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return element(0x17, Buffer.from(`${digits}Z`));
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function fingerprint(der: Buffer): string {
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return (hex.match(/../g) ?? []).join(':');
}
