import { describe, expect, it } from 'vitest';
import { type Packet, sequenceDelta } from '../rtp/index.ts';
import { readRecording, readTruth } from '../testing.ts';
import { emptyFacts, inspect, type PayloadFacts, type VideoCodec } from './index.ts';

const at = (file: string) => new URL(`testdata/${file}`, import.meta.url);

interface Frame {
  milliseconds: number;
  /** Facts of its packets. */
  facts: PayloadFacts[];
}

function inspected(codec: VideoCodec, { buffer, payloadOffset, payloadEnd }: Packet): PayloadFacts {
  const facts = emptyFacts();
  inspect(codec, facts, buffer, payloadOffset, payloadEnd);
  expect(facts.valid).toBe(true);
  return facts;
}

/** Packets of one timestamp are one frame. */
function framesOf(codec: VideoCodec, packets: readonly Packet[]): Frame[] {
  const frames = new Map<number, Frame>();
  for (const packet of packets) {
    const milliseconds = Math.round((packet.timestamp - packets[0]!.timestamp) / 90);
    const frame = frames.get(milliseconds) ?? { milliseconds, facts: [] };
    frames.set(milliseconds, frame);
    frame.facts.push(inspected(codec, packet));
  }
  return [...frames.values()];
}

interface Truth {
  width: number;
  height: number;
  frames: { milliseconds: number; key: boolean; type: string }[];
}

const encoded = [
  ['h264-baseline', 'H264'],
  ['h264-main-b', 'H264'],
  ['h264-high', 'H264'],
  ['h264-high-b', 'H264'],
  ['vp8', 'VP8'],
  ['vp9', 'VP9'],
] as const;

describe.each(encoded)('%s, sent by FFmpeg, told by ffprobe', (name, codec) => {
  const truth = readTruth<Truth>(at(`${name}.json`));
  const frames = framesOf(codec, readRecording(at(`${name}.rtp`)));
  const inOrderOfTime = frames.toSorted((a, b) => a.milliseconds - b.milliseconds);

  it('has every frame', () => {
    expect(inOrderOfTime.map(({ milliseconds }) => milliseconds)).toEqual(
      truth.frames.map((frame) => frame.milliseconds),
    );
  });

  it('has its key frames and B-frames where they are', () => {
    const told = inOrderOfTime.map(({ facts }) => ({
      key: facts.some(({ keyFrame }) => keyFrame),
      b: facts.some(({ bFrame }) => bFrame),
    }));
    expect(told).toEqual(truth.frames.map(({ key, type }) => ({ key, b: type === 'B' })));
  });

  it('has its size in each key frame and nowhere else', () => {
    const { width, height } = truth;
    for (const { facts } of frames) {
      const sizes = facts.filter((fact) => fact.width > 0).map((fact) => ({ width: fact.width, height: fact.height }));
      expect(sizes).toEqual(facts.some(({ keyFrame }) => keyFrame) ? [{ width, height }] : []);
    }
  });

  it('has one layer, and starts of frames where the codec tells them', () => {
    for (const { facts } of frames) {
      const starts = facts.map(({ startsFrame }) => startsFrame);
      expect(starts).toEqual(facts.map((_, index) => codec !== 'H264' && index === 0));
      for (const { temporalLayer, spatialLayer, switchingPoint } of facts) {
        expect([temporalLayer, spatialLayer, switchingPoint]).toEqual([0, 0, true]);
      }
    }
  });
});

it('tells the B-frames that no other frame refers to', () => {
  const discardable = (name: string) =>
    framesOf('H264', readRecording(at(`${name}.rtp`))).filter(({ facts }) => facts.some((fact) => fact.discardable));
  const types = readTruth<Truth>(at('h264-main-b.json')).frames;
  expect(discardable('h264-main-b')).toHaveLength(types.filter(({ type }) => type === 'B').length);
  expect(discardable('h264-high'), 'no B-frames').toHaveLength(0);
  const pyramid = discardable('h264-high-b');
  expect(pyramid.length).toBeGreaterThan(0);
  expect(pyramid.length, 'the middle of three refers to none').toBeLessThan(
    readTruth<Truth>(at('h264-high-b.json')).frames.filter(({ type }) => type === 'B').length,
  );
});

/** Recordings of a Chromium that publishes in a scalability mode, with the layers that it had bandwidth for. */
const scalable = [
  ['chromium-vp8-l1t3', 'VP8', 1, 3],
  ['chromium-vp9-l1t3', 'VP9', 1, 3],
  ['chromium-vp9-l3t3', 'VP9', 2, 3],
  ['chromium-vp9-l3t3-key', 'VP9', 2, 3],
  ['chromium-av1-l1t3', 'AV1', 1, 3],
  ['chromium-av1-l2t2', 'AV1', 2, 2],
  ['chromium-h264', 'H264', 1, 1],
] as const;

describe.each(scalable)('%s', (name, codec, spatialLayers, temporalLayers) => {
  const { width, height } = readTruth<{ width: number; height: number }>(at(`${name}.json`));
  const packets = readRecording(at(`${name}.rtp`));
  const frames = framesOf(codec, packets);

  it('begins with a key frame, and tells its size in each', () => {
    const keys = frames.filter(({ facts }) => facts.some(({ keyFrame }) => keyFrame));
    expect(keys[0]).toBe(frames[0]);
    expect(keys.length).toBeLessThan(frames.length / 10);
    for (const { facts } of keys) expect(facts[0]).toMatchObject({ keyFrame: true, width, height });
  });

  it('has all its layers, and one temporal layer a frame', () => {
    const spatial = new Set<number>();
    const temporal = new Set<number>();
    for (const { facts } of frames) {
      const known = facts.filter((fact) => fact.temporalLayer >= 0);
      for (const fact of known) spatial.add(fact.spatialLayer);
      expect(new Set(known.map((fact) => fact.temporalLayer)).size).toBe(1);
      temporal.add(known[0]!.temporalLayer);
    }
    expect(spatial.size).toBe(spatialLayers);
    expect(temporal.size).toBe(temporalLayers);
  });

  it('follows its pattern of temporal layers while no frame is left out', () => {
    const pattern = { 1: [0], 2: [0, 1], 3: [0, 2, 1, 2] }[temporalLayers];
    const first = frames.slice(0, 8).map(({ facts }) => facts[0]!.temporalLayer);
    expect(first).toEqual(Array.from(first, (_, index) => pattern[index % pattern.length]));
  });

  it('begins each frame once, at its first packet', () => {
    if (codec === 'H264') return;
    for (const { facts } of frames) {
      expect(facts.map(({ startsFrame }) => startsFrame)).toEqual(facts.map((_, index) => index === 0));
    }
  });

  it('counts its pictures', () => {
    if (codec !== 'VP8' && codec !== 'VP9') return;
    const ids = frames.map(({ facts }) => facts[0]!.pictureId);
    const missing = missingTimestamps(packets);
    expect(frames[0]!.facts[0]!.pictureIdBits).toBe(15);
    expect(ids.at(-1)! - ids[0]! + 1, 'one picture id a frame').toBeGreaterThanOrEqual(ids.length);
    if (!missing) expect(ids).toEqual(ids.map((_, index) => (ids[0]! + index) & 0x7fff));
    for (const { facts } of frames) expect(new Set(facts.map(({ pictureId }) => pictureId)).size).toBe(1);
  });
});

/** Sent again on another payload type, or lost before the recording began. */
const missingTimestamps = (packets: readonly Packet[]) =>
  packets.some(
    (packet, index) => index > 0 && sequenceDelta(packet.sequenceNumber, packets[index - 1]!.sequenceNumber) !== 1,
  );

it('tells the frames of VP8 that none refers to, the index of the base layer, and where its layers can be added', () => {
  const frames = framesOf('VP8', readRecording(at('chromium-vp8-l1t3.rtp'))).map(({ facts }) => facts[0]!);
  for (const { temporalLayer, discardable } of frames) expect(discardable).toBe(temporalLayer === 2);
  const bases = frames.filter(({ temporalLayer }) => temporalLayer === 0).map(({ tl0PicIdx }) => tl0PicIdx);
  expect(bases).toEqual(bases.map((_, index) => (bases[0]! + index) & 0xff));
  expect(frames.slice(0, 3).map(({ switchingPoint }) => switchingPoint)).toEqual([true, true, true]);
  expect(frames.some(({ switchingPoint }) => !switchingPoint)).toBe(true);
});
