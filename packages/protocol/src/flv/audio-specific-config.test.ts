import { expect, it } from 'vitest';
import { type AudioSpecificConfig, parseAudioSpecificConfig, writeAudioSpecificConfig } from './index.ts';

const parse = (hex: string) => parseAudioSpecificConfig(Buffer.from(hex, 'hex'));

it.each<[name: string, hex: string, config: AudioSpecificConfig]>([
  ['AAC-LC', '1190', { objectType: 2, sampleRate: 48000, channels: 2, outputSampleRate: 48000 }],
  // From FFmpeg 5.1: `-c:a aac -ar 44100 -ac 1`, with a sync extension behind.
  ['AAC-LC from FFmpeg', '120856e500', { objectType: 2, sampleRate: 44100, channels: 1, outputSampleRate: 44100 }],
  ['eight channels', '11b8', { objectType: 2, sampleRate: 48000, channels: 8, outputSampleRate: 48000 }],
  ['HE-AAC', '2b1188', { objectType: 5, sampleRate: 24000, channels: 2, outputSampleRate: 48000 }],
  ['a rate of its own', '17802ee010', { objectType: 2, sampleRate: 24000, channels: 2, outputSampleRate: 24000 }],
  ['an escaped object type', 'f94640', { objectType: 42, sampleRate: 48000, channels: 2, outputSampleRate: 48000 }],
])('reads %s', (_, hex, config) => {
  expect(parse(hex)).toEqual(config);
});

it.each([
  ['nothing', ''],
  ['one byte', '11'],
  ['no object type', '0190'],
  ['a reserved rate', '1690'],
  ['a reserved channel configuration', '11c8'],
  ['a rate of 0', '1780000010'],
])('refuses %s', (_, hex) => {
  expect(parse(hex)).toBeUndefined();
});

it('writes AAC-LC', () => {
  expect(writeAudioSpecificConfig(48000, 2)?.toString('hex')).toBe('1190');
  expect(writeAudioSpecificConfig(44100, 1)?.toString('hex')).toBe('1208');
  expect(writeAudioSpecificConfig(44000, 2)).toBeUndefined();
  expect(writeAudioSpecificConfig(48000, 7)).toBeUndefined();
  expect(writeAudioSpecificConfig(48000, 0)).toBeUndefined();
});
