export { type AudioPacket, parseAudio } from './audio.ts';
export {
  type AudioSpecificConfig,
  parseAudioSpecificConfig,
  writeAudioSpecificConfig,
} from './audio-specific-config.ts';
export { MAX_MODIFIERS, MAX_TRACKS } from './ex-header.ts';
export { parseFile, parseTags, type Tag, writeTags } from './tag.ts';
export { parseVideo, type VideoPacket } from './video.ts';
export { writeAac, writeAvc, writeExAudio, writeExVideo } from './write.ts';
