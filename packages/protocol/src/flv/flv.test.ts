import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  type AudioPacket,
  MAX_MODIFIERS,
  MAX_TRACKS,
  parseAudio,
  parseFile,
  parseTags,
  parseVideo,
  type VideoPacket,
  writeAac,
  writeAvc,
  writeExAudio,
  writeExVideo,
  writeTags,
} from './index.ts';

vi.setConfig({ testTimeout: 30_000 });

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const ascii = (text: string) => Buffer.from(text).toString('hex');

const audioOf = (text: string) => parseAudio(hex(text));
const videoOf = (text: string) => parseVideo(hex(text));

const audio = (packet: Partial<AudioPacket>): AudioPacket => ({
  track: 0,
  codec: 'mp4a',
  type: 'frame',
  nanoOffset: 0,
  data: Buffer.alloc(0),
  ...packet,
});

const video = (packet: Partial<VideoPacket>): VideoPacket => ({
  track: 0,
  codec: 'avc1',
  type: 'frame',
  keyFrame: false,
  compositionTimeMs: 0,
  nanoOffset: 0,
  data: Buffer.alloc(0),
  ...packet,
});

const data = hex('aabb');

describe('audio', () => {
  it.each<[name: string, bytes: string, packets: AudioPacket[]]>([
    ['an AAC configuration', 'af 00 aabb', [audio({ type: 'config', data })]],
    ['an AAC frame', 'af 01 aabb', [audio({ data })]],
    ['MP3', '2f aabb', [audio({ codec: '.mp3', data })]],
    ['Speex', 'b6 aabb', [audio({ codec: 'speex', data })]],
    ['silence, which has no bytes', '', []],
    ['an Opus header', `90 ${ascii('Opus')} aabb`, [audio({ codec: 'Opus', type: 'config', data })]],
    ['an Opus frame', `91 ${ascii('Opus')} aabb`, [audio({ codec: 'Opus', data })]],
    ['the end of a sequence', `92 ${ascii('mp4a')}`, [audio({ type: 'end' })]],
    ['a channel order', `94 ${ascii('ac-3')} 0002`, [audio({ codec: 'ac-3', type: 'channels', data: hex('0002') })]],
    ['a packet type that is not known', `9f ${ascii('mp4a')} aabb`, []],
    ['a modifier of nanoseconds', `97 02 0f4240 01 ${ascii('mp4a')} aabb`, [audio({ nanoOffset: 999_999, data })]],
    ['a modifier that is not known', `97 00 ff 11 ${ascii('mp4a')} aabb`, [audio({ data })]],
    ['a long modifier', `97 ff 00ff ${'00'.repeat(256)} 01 ${ascii('mp4a')} aabb`, [audio({ data })]],
    ['one track of several', `95 01 ${ascii('mp4a')} 03 aabb`, [audio({ track: 3, data })]],
  ])('reads %s', (_, bytes, packets) => {
    expect(audioOf(bytes)).toEqual(packets);
  });

  it('is read back as it was written', () => {
    expect(parseAudio(writeAac('config', data))).toEqual([audio({ type: 'config', data })]);
    expect(parseAudio(writeAac('frame', data))).toEqual([audio({ data })]);
  });
});

describe('video', () => {
  it.each<[name: string, bytes: string, packets: VideoPacket[]]>([
    ['an AVC record', '17 00 000000 aabb', [video({ type: 'config', keyFrame: true, data })]],
    ['an AVC key frame', '17 01 000000 aabb', [video({ keyFrame: true, data })]],
    ['an AVC frame shown later', '27 01 000064 aabb', [video({ compositionTimeMs: 100, data })]],
    ['an AVC frame shown earlier', '27 01 ffff9c aabb', [video({ compositionTimeMs: -100, data })]],
    ['the end of AVC', '17 02 000000', [video({ type: 'end', keyFrame: true })]],
    ['an AVC packet type that is not known', '17 03 000000', []],
    ['HEVC as some sent it', '1c 01 000000 aabb', [video({ codec: 'hvc1', keyFrame: true, data })]],
    ['Sorenson H.263', '22 aabb', [video({ codec: 'sorenson-h263', data })]],
    ['a command to a player', '57 00', []],
    ['no bytes', '', []],
    ['an HEVC record', `90 ${ascii('hvc1')} aabb`, [video({ codec: 'hvc1', type: 'config', keyFrame: true, data })]],
    [
      'an HEVC frame with its time',
      `a1 ${ascii('hvc1')} 000021 aabb`,
      [video({ codec: 'hvc1', compositionTimeMs: 33, data })],
    ],
    ['an HEVC frame without', `a3 ${ascii('hvc1')} aabb`, [video({ codec: 'hvc1', data })]],
    ['an AV1 frame, which has none', `91 ${ascii('av01')} aabb`, [video({ codec: 'av01', keyFrame: true, data })]],
    [
      'an AV1 descriptor',
      `95 ${ascii('av01')} aabb`,
      [video({ codec: 'av01', type: 'descriptor', keyFrame: true, data })],
    ],
    ['the end of a sequence', `a2 ${ascii('vp09')}`, [video({ codec: 'vp09', type: 'end' })]],
    ['metadata, even as a command', `d4 ${ascii('vp09')} aabb`, [video({ codec: 'vp09', type: 'metadata', data })]],
    ['an enhanced command to a player', 'd1 00', []],
    ['a packet type that is not known', `9f ${ascii('vp09')} aabb`, []],
    [
      'tracks of one codec',
      `a6 11 ${ascii('avc1')} 00 000005 000000 aabb 01 000004 00000a cc`,
      [video({ data }), video({ track: 1, compositionTimeMs: 10, data: hex('cc') })],
    ],
    [
      'tracks of many codecs',
      `a6 23 ${ascii('avc1')} 00 000002 aabb ${ascii('hvc1')} 01 000001 cc`,
      [video({ data }), video({ codec: 'hvc1', track: 1, data: hex('cc') })],
    ],
    [
      'one track behind a modifier',
      `a7 02 000064 06 01 ${ascii('avc1')} 02 000000 aabb`,
      [video({ track: 2, nanoOffset: 100, data })],
    ],
  ])('reads %s', (_, bytes, packets) => {
    expect(videoOf(bytes)).toEqual(packets);
  });

  it('is read back as it was written', () => {
    const written = writeAvc('frame', data, true, -40);
    expect(parseVideo(written)).toEqual([video({ keyFrame: true, compositionTimeMs: -40, data })]);
  });
});

it.each<[name: string, bytes: string, error: string]>([
  ['AAC ends early', 'af', 'AAC ends in its header'],
  ['a FourCC ends early', '91 6d7034', 'ends in its FourCC'],
  ['a modifier ends early', '97 05 000000', 'ends in a modifier'],
  ['a modifier has no size', '97', 'ends in a modifier'],
  ['a multitrack type is missing', '95', 'ends in its multitrack type'],
  ['a multitrack type is reserved', `95 31 ${ascii('mp4a')} 00`, 'multitrack type 3'],
  ['a multitrack message holds another', '95 05', 'multitrack within multitrack'],
  ['a track has no header', `95 11 ${ascii('mp4a')} 00 0000`, 'ends in a track header'],
  ['no track follows', `95 11 ${ascii('mp4a')}`, 'ends in a track header'],
  ['a track is too long', `95 11 ${ascii('mp4a')} 00 000003 aabb`, 'a track runs past the end'],
])('says what is wrong when %s', (_, bytes, error) => {
  expect(audioOf(bytes)).toBe(error);
});

it.each<[name: string, bytes: string, error: string]>([
  ['AVC ends early', '17 01 0000', 'avc1 ends in its header'],
  ['a composition time ends early', `91 ${ascii('avc1')} 0000`, 'avc1 ends in its composition time'],
  ['a track is shorter than its time', `96 11 ${ascii('avc1')} 00 000002 aabb`, 'avc1 ends in its composition time'],
])('says what is wrong when %s', (_, bytes, error) => {
  expect(videoOf(bytes)).toBe(error);
});

describe('limits', () => {
  it('of modifiers: 8', () => {
    const modifiers = (count: number) => `97 ${'00 00 07'.repeat(count - 1)} 00 00 01 ${ascii('mp4a')}`;
    expect(audioOf(modifiers(MAX_MODIFIERS))).toHaveLength(1);
    expect(audioOf(modifiers(9))).toBe('more than 8 modifiers');
  });

  it('of tracks in a message: 32', () => {
    const tracks = (count: number) => `95 11 ${ascii('mp4a')} ${'00 000000'.repeat(count)}`;
    expect(audioOf(tracks(MAX_TRACKS))).toHaveLength(32);
    expect(audioOf(tracks(33))).toBe('more than 32 tracks');
  });
});

describe('enhanced packets are read back as they were written', () => {
  const common = {
    track: fc.nat(255),
    nanoOffset: fc.nat(999_999),
    data: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  };
  const list = <T>(packet: fc.Arbitrary<T>) =>
    fc.array(packet, { minLength: 1, maxLength: 4 }).map((packets) => packets as [T, ...T[]]);

  it('audio', () => {
    const packet = fc.record({
      ...common,
      codec: fc.constantFrom('mp4a', 'Opus', 'fLaC', 'ec-3'),
      type: fc.constantFrom('config' as const, 'frame' as const, 'end' as const, 'channels' as const),
    });
    fc.assert(
      fc.property(list(packet), (packets) => {
        const [{ type, nanoOffset }] = packets;
        const sent = packets.map((packet) => ({ ...packet, type, nanoOffset })) as typeof packets;
        expect(parseAudio(writeExAudio(...sent))).toEqual(sent);
      }),
    );
  });

  it('video', () => {
    const packet = fc.record({
      ...common,
      codec: fc.constantFrom('avc1', 'hvc1', 'av01', 'vp09', 'vp08', 'vvc1'),
      type: fc.constantFrom('config' as const, 'frame' as const, 'end' as const, 'metadata' as const),
      keyFrame: fc.boolean(),
      compositionTimeMs: fc.integer({ min: -0x800000, max: 0x7fffff }),
    });
    fc.assert(
      fc.property(list(packet), (packets) => {
        const [{ type, nanoOffset, keyFrame }] = packets;
        const sent = packets.map((packet) => ({
          ...packet,
          type,
          nanoOffset,
          keyFrame,
          compositionTimeMs: type === 'frame' && /avc1|hvc1|vvc1/.test(packet.codec) ? packet.compositionTimeMs : 0,
        })) as typeof packets;
        expect(parseVideo(writeExVideo(...sent))).toEqual(sent);
      }),
    );
  });
});

describe('tags', () => {
  const tags = [
    { type: 8, timestamp: 0xffffffff, data },
    { type: 9, timestamp: 0x1234567, data: Buffer.alloc(0) },
  ];

  it('are read back as they were written', () => {
    expect(parseTags(writeTags(tags))).toEqual(tags);
    expect(parseFile(Buffer.concat([hex('464c5601 05 00000009 00000000'), writeTags(tags)]))).toEqual(tags);
  });

  it('may lack the last back pointer', () => {
    expect(parseTags(writeTags(tags).subarray(0, -4))).toEqual(tags);
  });

  it.each([
    ['a header ends early', '08 000000 000000', 'ends in a tag header'],
    ['data ends early', '08 000001 000000 00 000000', 'a tag runs past the end'],
  ])('say what is wrong when %s', (_, bytes, error) => {
    expect(parseTags(hex(bytes))).toBe(error);
  });

  it('are in files that say FLV', () => {
    expect(parseFile(hex('4d5034'))).toBe('not an FLV file');
  });
});
