// Codecs go by their FourCC, whichever way the tag names them; what never got one has a word of its own.

/** Codec ids of the tag header before FourCCs (FLV specification 10.1, E.4.2.1 SoundFormat). */
const SOUND_FORMATS: readonly string[] = [
  'pcm',
  'adpcm',
  '.mp3',
  'pcm-le',
  'nellymoser-16k',
  'nellymoser-8k',
  'nellymoser',
  'g711-alaw',
  'g711-mulaw',
  'reserved-9',
  'mp4a',
  'speex',
  'reserved-12',
  'reserved-13',
  'mp3-8k',
  'device-specific',
];

/** FLV specification 10.1, E.4.3.1 CodecID. */
const VIDEO_CODEC_IDS: Record<number, string> = {
  2: 'sorenson-h263',
  3: 'screen-video',
  4: 'vp6',
  5: 'vp6-alpha',
  6: 'screen-video-2',
  7: 'avc1',
  12: 'hvc1',
};

/** SoundFormat whose tag says that a FourCC follows (Enhanced RTMP v2, Enhanced Audio). */
export const EX_HEADER = 9;
/** SoundFormat of AAC, which has a packet type. */
export const LEGACY_AAC = 10;
/** CodecID of AVC, which has a packet type and a composition time. */
export const LEGACY_AVC = 7;

/** The FourCC, or a word, for a SoundFormat of 4 bits. */
export function soundFormatName(format: number): string {
  return SOUND_FORMATS[format]!;
}

/** The FourCC, or a word, for a CodecID of 4 bits. */
export function videoCodecName(id: number): string {
  return VIDEO_CODEC_IDS[id] ?? `reserved-${id}`;
}

/** CodecIDs whose tags are laid out as AVC's are: 12 is HEVC as some encoders sent it before Enhanced RTMP. */
export const laidOutAsAvc = (id: number) => id === LEGACY_AVC || id === 12;

/** Codecs whose coded frames begin with a composition time (Enhanced RTMP v2, ExVideoTagBody). */
export const hasCompositionTime = (fourCc: string) => fourCc === 'avc1' || fourCc === 'hvc1' || fourCc === 'vvc1';

/** Four characters, each byte one of Latin-1; fewer at the end of `bytes`. */
export function readFourCc(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + 4);
}
