import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as av1 from '../av1/index.ts';
import * as h264 from '../h264/index.ts';
import type { Packet } from '../rtp/index.ts';
import { payloadOf, readRecording } from '../testing.ts';
import * as vp8 from '../vp8/index.ts';
import * as vp9 from '../vp9/index.ts';
import { emptyFacts, inspect, MAX_PAYLOAD, MIN_PAYLOAD, type VideoCodec } from './index.ts';
import { nalUnitsOf, obusOf } from './reassemble.ts';

/** The payloads of each frame of a recording. */
function recorded(name: string): Buffer[][] {
  const frames = new Map<number, Packet[]>();
  for (const packet of readRecording(new URL(`testdata/${name}.rtp`, import.meta.url))) {
    frames.set(packet.timestamp, [...(frames.get(packet.timestamp) ?? []), packet]);
  }
  return [...frames.values()].map((packets) => packets.map(payloadOf));
}

/** Payloads that a packetizer emits; each is copied, for its memory is used again. */
function collect(run: (emit: (payload: Buffer, last: boolean) => void) => unknown): Buffer[] {
  const payloads: Buffer[] = [];
  const lasts: boolean[] = [];
  run((payload, last) => {
    payloads.push(Buffer.from(payload));
    lasts.push(last);
  });
  expect(lasts, 'the last payload alone is told to be it').toEqual(
    payloads.map((_, index) => index === payloads.length - 1),
  );
  return payloads;
}

function factsOf(codec: VideoCodec, payload: Buffer) {
  const facts = emptyFacts();
  inspect(codec, facts, payload, 0, payload.length);
  expect(facts.valid).toBe(true);
  return facts;
}

const sizes = [MIN_PAYLOAD, 200, 1_200, MAX_PAYLOAD];

function expectWithin(payloads: readonly Buffer[], maxPayload: number): void {
  for (const { length } of payloads) expect(length).toBeLessThanOrEqual(maxPayload);
}

describe.each(sizes)('in payloads of at most %i bytes', (maxPayload) => {
  it.each(['h264-baseline', 'h264-high-b', 'chromium-h264'])('%s is put together again', (name) => {
    for (const payloads of recorded(name)) {
      const units = nalUnitsOf(payloads);
      const made = collect((emit) => h264.packetize(units, maxPayload, emit));
      expectWithin(made, maxPayload);
      expect(nalUnitsOf(made)).toEqual(units);
      const key = (list: readonly Buffer[]) => list.some((payload) => factsOf('H264', payload).keyFrame);
      expect(key(made)).toBe(key(payloads));
    }
  });

  it('VP8 is put together again', () => {
    for (const [pictureId, payloads] of recorded('vp8').entries()) {
      const frame = Buffer.concat(payloads.map((payload) => payload.subarray(factsOf('VP8', payload).payloadOffset)));
      const made = collect((emit) => vp8.packetize(frame, maxPayload, pictureId, emit));
      expectWithin(made, maxPayload);
      const facts = made.map((payload) => factsOf('VP8', payload));
      expect(Buffer.concat(made.map((payload, index) => payload.subarray(facts[index]!.payloadOffset)))).toEqual(frame);
      expect(facts.map(({ startsFrame }) => startsFrame)).toEqual(made.map((_, index) => index === 0));
      expect(facts.every((fact) => fact.pictureId === pictureId && fact.pictureIdBits === 15)).toBe(true);
      expect(facts[0]!.keyFrame).toBe(factsOf('VP8', payloads[0]!).keyFrame);
    }
  });

  it('VP9 is put together again', () => {
    for (const [pictureId, payloads] of recorded('vp9').entries()) {
      const frame = Buffer.concat(payloads.map((payload) => payload.subarray(factsOf('VP9', payload).payloadOffset)));
      const made = collect((emit) => vp9.packetize(frame, maxPayload, 0x7ff0 + pictureId, emit));
      expectWithin(made, maxPayload);
      const facts = made.map((payload) => factsOf('VP9', payload));
      expect(Buffer.concat(made.map((payload, index) => payload.subarray(facts[index]!.payloadOffset)))).toEqual(frame);
      const { keyFrame, width, height } = factsOf('VP9', payloads[0]!);
      expect(facts[0]).toMatchObject({ keyFrame, width, height, startsFrame: true });
      expect(facts.map((fact) => fact.pictureId)).toEqual(made.map(() => (0x7ff0 + pictureId) & 0x7fff));
      expect(made.map((payload) => (payload[0]! & 0x04) !== 0)).toEqual(
        made.map((_, index) => index === made.length - 1),
      );
    }
  });

  it.each(['chromium-av1-l1t3', 'chromium-av1-l2t2'])('%s is put together again', (name) => {
    for (const payloads of recorded(name)) {
      const obus = obusOf(payloads);
      const made = collect((emit) => av1.packetize(temporalUnitOf(obus), maxPayload, emit));
      expectWithin(made, maxPayload);
      expect(obusOf(made)).toEqual(obus);
      const { keyFrame, width, height, temporalLayer, startsFrame } = factsOf('AV1', payloads[0]!);
      expect(factsOf('AV1', made[0]!)).toMatchObject({ keyFrame, width, height, temporalLayer, startsFrame });
      expect(made[0]![0]! & 0x08, 'N').toBe(keyFrame ? 0x08 : 0);
      for (const payload of made) expectOneLayer(payload);
    }
  });
});

/** A temporal unit in the low-overhead format: a temporal delimiter, then the OBUs with their sizes. */
function temporalUnitOf(obus: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from('1200', 'hex')];
  for (const obu of obus) {
    const headerLength = obu[0]! & 0x04 ? 2 : 1;
    const size = Buffer.from([0, 0, 0, 0]);
    const payload = obu.length - headerLength;
    for (let index = 0; index < 4; index++) size[index] = ((payload >>> (7 * index)) & 0x7f) | (index < 3 ? 0x80 : 0);
    parts.push(Buffer.from([obu[0]! | 0x02]), obu.subarray(1, headerLength), size, obu.subarray(headerLength));
  }
  return Buffer.concat(parts);
}

/** RTP Payload Format For AV1, 5: all OBUs of a packet with an extension have the same layers. */
function expectOneLayer(payload: Buffer): void {
  const own = payload[0]! >= 0x80 ? [] : obusOf([payload]);
  const layers = own.filter((obu) => obu.length > 1 && obu[0]! & 0x04).map((obu) => obu[1]! & 0xf8);
  expect(new Set(layers).size).toBeLessThanOrEqual(1);
}

describe('H.264', () => {
  const unit = (header: number, length: number) => Buffer.alloc(length, 0xaa).fill(header, 0, 1);
  const headers = (payloads: readonly Buffer[]) => payloads.map((payload) => payload.toString('hex', 0, 2));

  it('puts parameter sets into one STAP-A with the highest NRI, slices never', () => {
    const units = [unit(0x09, 2), unit(0x67, 20), unit(0x28, 4), unit(0x65, 10), unit(0x41, 10)];
    const made = collect((emit) => h264.packetize(units, 100, emit));
    expect(headers(made)).toEqual(['7800', '65aa', '41aa']);
    expect(made[0]).toHaveLength(1 + 2 * 3 + 26);
  });

  it('leaves a lone parameter set alone, and fills a STAP-A to the last byte', () => {
    expect(headers(collect((emit) => h264.packetize([unit(0x67, 20), unit(0x65, 10)], 100, emit)))).toEqual([
      '67aa',
      '65aa',
    ]);
    const fits = [unit(0x67, 45), unit(0x68, 50)];
    expect(collect((emit) => h264.packetize(fits, 100, emit))).toHaveLength(1);
    expect(collect((emit) => h264.packetize(fits, 99, emit))).toHaveLength(2);
  });

  it('fragments what is longer than a payload, with S and E at the ends (RFC 6184 5.8)', () => {
    expect(collect((emit) => h264.packetize([unit(0x65, 100)], 100, emit))).toHaveLength(1);
    const made = collect((emit) => h264.packetize([unit(0x65, 201)], 100, emit));
    expect(headers(made)).toEqual(['7c85', '7c05', '7c45']);
    expect(made.map(({ length }) => length)).toEqual([69, 69, 68]);
  });

  it('leaves out empty NAL units', () => {
    expect(collect((emit) => h264.packetize([Buffer.alloc(0)], 100, emit))).toEqual([]);
  });

  it('of any NAL units is put together again', () => {
    const nal = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => {
      const copy = Buffer.from(bytes);
      copy[0] = 0x60 | ((copy[0]! % 23) + 1);
      return copy;
    });
    fc.assert(
      fc.property(fc.array(nal, { maxLength: 8 }), fc.integer({ min: MIN_PAYLOAD, max: 300 }), (units, maxPayload) => {
        const made = collect((emit) => h264.packetize(units, maxPayload, emit));
        expectWithin(made, maxPayload);
        expect(nalUnitsOf(made)).toEqual(units);
      }),
    );
  });
});

describe('AV1', () => {
  it('leaves out temporal delimiters, tile lists and padding', () => {
    const made = collect((emit) =>
      av1.packetize(Buffer.from('1200 3202 1000 4201 00 7a01 00'.replaceAll(' ', ''), 'hex'), 100, emit),
    );
    expect(made.map((payload) => payload.toString('hex'))).toEqual(['10301000']);
  });

  it('begins a payload with each frame, hidden ones too', () => {
    const made = collect((emit) =>
      av1.packetize(Buffer.from('1200 3202 1000 3202 2000'.replaceAll(' ', ''), 'hex'), 100, emit),
    );
    expect(made.map((payload) => payload.toString('hex'))).toEqual(['10301000', '10302000']);
  });

  it('says N for a key frame with its sequence header alone', () => {
    const n = (frame: string) => {
      const unit = Buffer.from(`12000a0b0000000cc4ff673efe4010${frame}`, 'hex');
      return collect((emit) => av1.packetize(unit, 100, emit)).map((payload) => payload[0]! & 0x08);
    };
    expect(n('32021000'), 'a shown key frame').toEqual([8]);
    expect(n('32023000'), 'an inter frame').toEqual([0]);
    expect(n(''), 'no frame').toEqual([0]);
  });

  it('takes a last OBU without a size', () => {
    const made = collect((emit) => av1.packetize(Buffer.from('1200301000', 'hex'), 100, emit));
    expect(made.map((payload) => payload.toString('hex'))).toEqual(['10301000']);
  });

  it.each(['32', '3280', '3205', '36', '32ffffffffffffffffff'])('refuses "%s", of which nothing is sent', (hex) => {
    expect(av1.packetize(Buffer.from(hex, 'hex'), 100, () => expect.unreachable())).toBe(false);
  });
});

describe.each([MIN_PAYLOAD - 1, MAX_PAYLOAD + 1, Number.NaN])('payloads of %s bytes', (maxPayload) => {
  const none = () => expect.unreachable();
  it('are refused with a message that names the limits', () => {
    const message = `64 to 65535 bytes, not ${maxPayload}`;
    expect(() => h264.packetize([], maxPayload, none)).toThrow(message);
    expect(() => vp8.packetize(Buffer.alloc(9), maxPayload, 1, none)).toThrow(message);
    expect(() => vp9.packetize(Buffer.alloc(9), maxPayload, 1, none)).toThrow(message);
    expect(() => av1.packetize(Buffer.alloc(9), maxPayload, none)).toThrow(message);
  });
});
