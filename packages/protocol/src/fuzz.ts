import * as amf from './amf/index.ts';
import * as av1 from './av1/index.ts';
import * as flv from './flv/index.ts';
import * as h264 from './h264/index.ts';
import * as opus from './opus/index.ts';
import * as rtcp from './rtcp/index.ts';
import * as rtmp from './rtmp/index.ts';
import * as rtp from './rtp/index.ts';
import * as sdp from './sdp/index.ts';
import * as stun from './stun/index.ts';
import * as video from './video/index.ts';
import { nalUnitsOf, obusOf } from './video/reassemble.ts';

/** Throws unless a law that must hold for all input holds. */
function hold(law: boolean, name: string): void {
  if (!law) throw new Error(`does not hold: ${name}`);
}

/** True for values of the same members, in whatever order; one that is undefined is as good as none. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const name in left) if (!same(left[name], right[name])) return false;
  for (const name in right) if (!(name in left) && right[name] !== undefined) return false;
  return true;
}

/** Writing joins and repeats some values, so what was read within the limits of SDP can be written beyond them. */
const outgrown = (result: object) => 'error' in result && /longer than/.test(String(result.error));

const codecs: readonly video.VideoCodec[] = ['H264', 'VP8', 'VP9', 'AV1'];

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
    rtp.readExtensionUint24(packet, id);
    hold(rtp.readAudioLevel(packet, id) >= -1, 'an audio level is a byte');
  }
  for (const codec of codecs) video.inspect(codec, facts, bytes, payloadOffset, payloadEnd);
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

/** Bytes before and behind a payload, which must not matter. */
const MARGIN = 5;
const surroundings = Buffer.alloc(65_536);
const facts = video.emptyFacts();
const factsInside = video.emptyFacts();

function fuzzInspect(codec: video.VideoCodec, bytes: Buffer): void {
  video.inspect(codec, facts, bytes, 0, bytes.length);
  surroundings.fill(bytes.length & 1 ? 0xff : 0, 0, bytes.length + 2 * MARGIN);
  bytes.copy(surroundings, MARGIN);
  video.inspect(codec, factsInside, surroundings, MARGIN, MARGIN + bytes.length);
  hold(facts.valid === factsInside.valid, 'what is around a payload does not matter');
  if (!facts.valid) return;
  holdFacts(bytes);
  holdSameFacts();
}

function holdFacts(bytes: Buffer): void {
  hold(facts.payloadOffset <= bytes.length, 'the descriptor ends inside');
  hold(facts.width > 0 === facts.height > 0, 'a size has two sides');
  hold(facts.width <= 65_536 && facts.height <= 65_536, 'a side has 16 bits');
  hold(-1 <= facts.temporalLayer && facts.temporalLayer <= 7, 'a temporal layer has 3 bits');
  hold(-1 <= facts.spatialLayer && facts.spatialLayer <= 7, 'a spatial layer has 3 bits');
  hold(facts.pictureId === -1 || facts.pictureId < 2 ** facts.pictureIdBits, 'a picture id fits its width');
  const { pictureId, tl0PicIdx } = facts;
  video.rewritePictureId(surroundings, factsInside, pictureId, tl0PicIdx);
  hold(surroundings.compare(bytes, 0, bytes.length, MARGIN, MARGIN + bytes.length) === 0, 'rewriting changes nothing');
}

/** Offsets move with the payload, all else stays. */
function holdSameFacts(): void {
  factsInside.payloadOffset -= MARGIN;
  if (factsInside.pictureIdBits > 0) factsInside.pictureIdOffset -= MARGIN;
  if (factsInside.tl0PicIdx >= 0) factsInside.tl0PicIdxOffset -= MARGIN;
  if (factsInside.temporalLayerOffset > 0) factsInside.temporalLayerOffset -= MARGIN;
  for (const name of factNames) hold(facts[name] === factsInside[name], 'what is around a payload does not matter');
}

const factNames = Object.keys(facts) as (keyof video.PayloadFacts)[];

function fuzzH264(bytes: Buffer): void {
  fuzzInspect('H264', bytes);
  const type = h264.sliceType(bytes, 0, bytes.length);
  hold(-1 <= type && type <= 4, 'a slice is of one of five types');
  const sps = h264.parseSps(bytes);
  hold(sps === undefined || (sps.width > 0 && sps.height > 0), 'a picture has a size');
  h264.writeAvcDecoderConfiguration(bytes, bytes);
}

/** Payloads of any cut: each is given behind its length, one byte. */
function fuzzDepacketize(bytes: Buffer): void {
  const assembler = new h264.NalAssembler();
  const frames = new video.FrameAssembler('VP9');
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + bytes[at]!);
    assembler.push(bytes, at + 1, end);
    frames.push(bytes, at + 1, end);
    at = end;
  }
  const units = assembler.take() ?? [];
  hold(
    units.every(({ length }) => length > 0),
    'no NAL unit is empty',
  );
  hold(Buffer.concat(units).length <= bytes.length, 'no bytes are made up');
  // Of layers there is an index, of 4 bytes each.
  hold((frames.take()?.length ?? 0) <= bytes.length + 34, 'no bytes are made up');
}

function fuzzVp8(bytes: Buffer): void {
  fuzzInspect('VP8', bytes);
}

function fuzzVp9(bytes: Buffer): void {
  fuzzInspect('VP9', bytes);
}

function fuzzAv1(bytes: Buffer): void {
  fuzzInspect('AV1', bytes);
}

/** A payload that leaves room to every descriptor, so that all packets but the last are fragments. */
const SMALL_PAYLOAD = video.MIN_PAYLOAD;

function fuzzAvc(bytes: Buffer): void {
  h264.parseAvcDecoderConfiguration(bytes);
  for (const lengthSize of [1, 2, 4] as const) fuzzPacketize(h264.splitAvcc(bytes, lengthSize));
  fuzzPacketize(h264.splitAnnexB(bytes));
}

function fuzzPacketize(units: Buffer[] | undefined): void {
  // The types from 24 on are those of the payload format itself.
  if (units === undefined || units.some((unit) => (unit[0]! & 0x1f) > 23)) return;
  const payloads: Buffer[] = [];
  h264.packetize(units, SMALL_PAYLOAD, (payload) => payloads.push(Buffer.from(payload)));
  hold(same(nalUnitsOf(payloads), units), 'NAL units are put together again');
}

function fuzzAv1Unit(bytes: Buffer): void {
  const sizes = av1.splitTemporalUnit(bytes)?.map(({ layers, payload, end }) => (layers < 0 ? 1 : 2) + end - payload);
  const payloads: Buffer[] = [];
  const packetized = av1.packetize(bytes, SMALL_PAYLOAD, (payload) => payloads.push(Buffer.from(payload)));
  hold(packetized === (sizes !== undefined), 'what can be split can be packetized');
  if (sizes === undefined) return;
  const obus = obusOf(payloads);
  hold(obus.length <= sizes.length, 'no OBU is made up');
  hold(
    obus.every(({ length }) => sizes.splice(0, sizes.indexOf(length) + 1).length > 0),
    'OBUs keep their order and size',
  );
}

function fuzzOpus(bytes: Buffer): void {
  const start = opus.red.primary(bytes, 0, bytes.length);
  hold(start === -1 || (start > 0 && start < bytes.length), 'the primary encoding lies inside');
  hold(opus.red.isValid(bytes, 0, bytes.length) === start > 0, 'a valid payload has a primary encoding');
  hold(opus.red.primaryPayloadType(bytes, 0, bytes.length) >= 0 === start > 0, 'a valid payload has a type');
  const duration = opus.durationMs(bytes, 0, bytes.length);
  hold(duration >= 0 && duration <= 120, 'a packet is 120 ms at most');
  opus.isStereo(bytes, 0, bytes.length);
}

/** What is read is written so that it reads, and writes, the same again; text that was not UTF-8 may outgrow the limits. */
function fuzzAmf(bytes: Buffer, read: typeof amf.read0, write: typeof amf.write0): void {
  const result = read(bytes);
  if ('error' in result) return;
  const written = write(...result.values);
  const again = read(written);
  const replaced = written.includes('\ufffd');
  hold(replaced || !('error' in again), 'AMF is read back');
  if (!('error' in again)) hold(write(...again.values).equals(written), 'AMF is written as it was read');
}

function fuzzFlv(bytes: Buffer): void {
  for (const packets of [flv.parseAudio(bytes), flv.parseVideo(bytes)]) {
    if (typeof packets === 'string') continue;
    hold(packets.length <= flv.MAX_TRACKS, 'tracks are bounded');
    for (const { data, nanoOffset } of packets) {
      hold(data.length <= bytes.length, 'data lies inside');
      hold(nanoOffset >= 0 && nanoOffset < 1e6, 'an offset is less than a millisecond');
    }
  }
  flv.parseAudioSpecificConfig(bytes);
  flv.parseFile(bytes);
  const tags = flv.parseTags(bytes);
  if (typeof tags !== 'string') hold(same(flv.parseTags(flv.writeTags(tags)), tags), 'tags are read back as written');
}

/** Messages come out the same however the bytes are cut, and within the limits. */
function fuzzRtmpChunks(bytes: Buffer): void {
  const whole = readChunks(bytes, bytes.length || 1);
  hold(same(readChunks(bytes, 1), whole), 'one byte at a time gives the same');
  hold(same(readChunks(bytes, 7), whole), 'seven bytes at a time give the same');
}

function readChunks(bytes: Buffer, size: number) {
  const reader = new rtmp.ChunkReader();
  const messages: object[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    const piece = bytes.subarray(start, start + size);
    for (let at = 0; at < piece.length && reader.error === undefined; ) {
      at = reader.read(piece, at);
      const message = reader.take();
      if (message !== undefined) messages.push({ ...message, body: message.body.toString('hex') });
      hold(reader.pendingBytes <= rtmp.limits.pendingBytes, 'what is kept is bounded');
    }
  }
  return { messages, error: reader.error };
}

/** A server that grants all, after a handshake that is not fuzzed; and one that is asked for a handshake. */
function fuzzRtmpServer(bytes: Buffer): void {
  const hello = new rtmp.ClientHandshake('simple').hello;
  for (const start of [Buffer.concat([hello, hello.subarray(1)]), Buffer.alloc(0)]) {
    let closed = 0;
    const session = new rtmp.RtmpServerSession(
      {
        send: () => {},
        connect: () => session.accept(),
        publish: () => session.accept(),
        metadata: () => {},
        audio: ({ timestampMs }) => hold(Number.isFinite(timestampMs), 'audio has a time'),
        video: ({ timestampMs }) => hold(Number.isFinite(timestampMs), 'video has a time'),
        unpublish: () => {},
        close: () => closed++,
      },
      { videoCodecs: [], audioCodecs: [] },
    );
    session.receive(start);
    session.receive(bytes);
    session.receive(bytes);
    hold(closed <= 1, 'a session closes once');
  }
}

function fuzzStun(bytes: Buffer): void {
  const message = stun.parse(bytes);
  stun.hasIntegrity(bytes, 'password');
  if (message === undefined) return;
  hold(stun.isStun(bytes), 'a message is told from other packets');
  hold(message.transactionId.length === 12, 'a transaction id is 12 bytes');
  const answer = stun.writeBindingSuccess(message.transactionId, '::1', 1, message.username ?? '');
  hold(same(stun.parse(answer), { class: 'success', transactionId: message.transactionId }), 'the answer is read back');
  hold(stun.hasIntegrity(answer, message.username ?? ''), 'the answer is authentic');
}

function asBuffer(target: (bytes: Buffer) => void): (bytes: Uint8Array) => void {
  return (bytes) =>
    target(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** Entries for a fuzzer, one for each parser: each throws on bytes that break a law. */
export const fuzzTargets: Record<string, (bytes: Uint8Array) => void> = {
  rtp: asBuffer(fuzzRtp),
  rtcp: asBuffer(fuzzRtcp),
  sdp: asBuffer(fuzzSdp),
  sdpFragment: asBuffer(fuzzSdpFragment),
  candidate: asBuffer(fuzzCandidate),
  h264: asBuffer(fuzzH264),
  h264Depacketize: asBuffer(fuzzDepacketize),
  vp8: asBuffer(fuzzVp8),
  vp9: asBuffer(fuzzVp9),
  av1: asBuffer(fuzzAv1),
  avc: asBuffer(fuzzAvc),
  av1Unit: asBuffer(fuzzAv1Unit),
  opus: asBuffer(fuzzOpus),
  amf0: asBuffer((bytes) => fuzzAmf(bytes, amf.read0, amf.write0)),
  amf3: asBuffer((bytes) => fuzzAmf(bytes, amf.read3, amf.write3)),
  flv: asBuffer(fuzzFlv),
  stun: asBuffer(fuzzStun),
  rtmpChunks: asBuffer(fuzzRtmpChunks),
  rtmpServer: asBuffer(fuzzRtmpServer),
};
