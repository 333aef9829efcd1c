import { integer, match, SdpError, words } from './lines.ts';
import type { Candidate } from './types.ts';

const FOUNDATION = /^[A-Za-z0-9+/]{1,32}$/;
const FORM = '<foundation> <component> <transport> <priority> <address> <port> typ <type>';

/**
 * Parses the value of `a=candidate`, with or without the `candidate:` before it (RFC 8839 5.1):
 *
 *     foundation component transport priority address port typ type [raddr a] [rport p] *(name value)
 *
 * Undefined when it does not have that form.
 */
export function parseCandidate(text: string): Candidate | undefined {
  try {
    return readCandidate(text.startsWith('candidate:') ? text.slice('candidate:'.length) : text);
  } catch (error) {
    if (error instanceof SdpError) return undefined;
    throw error;
  }
}

/** `parseCandidate` that says what is wrong by an SdpError. */
export function readCandidate(value: string): Candidate {
  const [foundation, component, transport, priority, address, port, typ, type, ...rest] = words(value);
  if (!foundation || !transport || !address || typ !== 'typ' || !type) throw new SdpError(`expected ${FORM}`);
  match(foundation, FOUNDATION, 'a foundation of 1 to 32 ice-chars');
  if (rest.length % 2 !== 0) throw new SdpError('a candidate extension has no value');
  const candidate: Candidate = {
    foundation,
    component: integer(component, 1, 256, 'component'),
    transport,
    priority: integer(priority, 0, 0xffffffff, 'priority'),
    address,
    port: integer(port, 0, 65535, 'port'),
    type,
    extensions: [],
  };
  for (let i = 0; i < rest.length; i += 2) readExtension(candidate, rest[i]!, rest[i + 1]!);
  return candidate;
}

function readExtension(candidate: Candidate, name: string, value: string): void {
  if (name === 'raddr') candidate.relatedAddress = value;
  else if (name === 'rport') candidate.relatedPort = integer(value, 0, 65535, 'rport');
  else candidate.extensions.push({ name, value });
}

/** Writes the value of `a=candidate` (RFC 8839 5.1). */
export function writeCandidate(candidate: Candidate): string {
  const { foundation, component, transport, priority, address, port, type } = candidate;
  const parts: (string | number)[] = [foundation, component, transport, priority, address, port, 'typ', type];
  if (candidate.relatedAddress !== undefined) parts.push('raddr', candidate.relatedAddress);
  if (candidate.relatedPort !== undefined) parts.push('rport', candidate.relatedPort);
  for (const { name, value } of candidate.extensions) parts.push(name, value);
  return parts.join(' ');
}
