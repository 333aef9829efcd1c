import * as h264 from './h264/index.ts';
import * as rtcp from './rtcp/index.ts';
import * as rtp from './rtp/index.ts';
import * as sdp from './sdp/index.ts';
import * as vp8 from './vp8/index.ts';

/** Throws unless a law that must hold for all input holds. */
function hold(law: boolean, name: string): void {
  if (!law) throw new Error(`does not hold: ${name}`);
}

/** JSON with the members of each object in order of their names. */
const canonical = (value: unknown) =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );

const same = (a: unknown, b: unknown) => canonical(a) === canonical(b);

/** Writing joins and repeats some values, so what was read within the limits of SDP can be written beyond them. */
const outgrown = (result: object) => 'error' in result && /longer than/.test(String(result.error));

function fuzzRtp(bytes: Buffer): void {
  rtp.isRtcp(bytes);
  const packet = rtp.parse(bytes);
  if (packet === undefined) return;
  const { extensionOffset, extensionEnd, payloadOffset, payloadEnd } = packet;
  hold(rtp.HEADER_LENGTH <= extensionOffset && extensionOffset <= extensionEnd, 'the extension is ordered');
  hold(extensionEnd === payloadOffset && payloadOffset <= payloadEnd, 'the payload follows the extension');
  hold(payloadEnd <= bytes.length, 'the payload ends inside');
  for (const id of [0, 1, 4, 14, 15, 16, 255]) {
    const range = rtp.readExtension(packet, id);
    hold(range === undefined || range.offset > extensionOffset, 'an element starts inside the extension');
    hold(range === undefined || range.offset + range.length <= extensionEnd, 'an element ends inside the extension');
    rtp.readExtensionUint16(packet, id);
    rtp.readExtensionText(packet, id);
  }
  h264.isKeyFrame(bytes, payloadOffset, payloadEnd);
  vp8.isKeyFrame(bytes, payloadOffset, payloadEnd);
  rtp.rtx.restore(packet, { payloadType: 96, ssrc: 1 });
}

function fuzzRtcp(bytes: Buffer): void {
  const packets = rtcp.parse(bytes);
  const written = rtcp.write(packets);
  hold(written.length % 4 === 0, 'packets are whole words');
  const again = rtcp.parse(written);
  // Text that is not UTF-8 comes out longer, so an SDES can outgrow its item: only its packet count is promised.
  const exact = !packets.some(({ type }) => type === 'sdes' || type === 'bye' || type === 'unknown');
  if (exact) hold(same(again, packets), 'RTCP is read back as it was written');
  for (const packet of packets) {
    if (packet.type === 'nack') rtcp.nackSequenceNumbers(packet.pairs);
    if (packet.type === 'transport-cc') rtcp.transportArrivalTimes(packet);
  }
}

function fuzzSdp(bytes: Buffer): void {
  const result = sdp.parse(bytes.toString('latin1'));
  if ('error' in result) return;
  sdp.checkTransport(result.session);
  for (const { payloads } of result.session.media) for (const { fmtp } of payloads) sdp.parseFmtp(fmtp);
  const again = sdp.parse(sdp.write(result.session));
  hold(outgrown(again) || same(again, result), 'SDP is read back as it was written');
}

function fuzzSdpFragment(bytes: Buffer): void {
  const result = sdp.parseFragment(bytes.toString('latin1'));
  if ('error' in result) return;
  sdp.checkIce(result.fragment);
  const again = sdp.parseFragment(sdp.writeFragment(result.fragment));
  hold(outgrown(again) || same(again, result), 'a fragment is read back as it was written');
}

function fuzzCandidate(bytes: Buffer): void {
  const candidate = sdp.parseCandidate(bytes.toString('latin1'));
  if (candidate === undefined) return;
  hold(
    same(sdp.parseCandidate(sdp.writeCandidate(candidate)), candidate),
    'a candidate is read back as it was written',
  );
}

function fuzzH264(bytes: Buffer): void {
  h264.isKeyFrame(bytes, 0, bytes.length);
}

function fuzzVp8(bytes: Buffer): void {
  const descriptor = vp8.parseDescriptor(bytes, 0, bytes.length);
  if (descriptor === undefined) return;
  hold(descriptor.payloadOffset <= bytes.length, 'the descriptor ends inside');
  const { pictureId = 0, tl0PicIdx = 0 } = descriptor;
  const copy = Buffer.from(bytes);
  vp8.rewritePictureId(copy, descriptor, { pictureId, tl0PicIdx });
  hold(copy.equals(bytes), 'rewriting the same picture id changes nothing');
}

function asBuffer(target: (bytes: Buffer) => void): (bytes: Uint8Array) => void {
  return (bytes) => target(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** Entries for a fuzzer, one for each parser: each throws on bytes that break a law. */
export const fuzzTargets: Record<string, (bytes: Uint8Array) => void> = {
  rtp: asBuffer(fuzzRtp),
  rtcp: asBuffer(fuzzRtcp),
  sdp: asBuffer(fuzzSdp),
  sdpFragment: asBuffer(fuzzSdpFragment),
  candidate: asBuffer(fuzzCandidate),
  h264: asBuffer(fuzzH264),
  vp8: asBuffer(fuzzVp8),
};
