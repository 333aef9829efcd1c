import type { CloseReason } from '@footlights/media';
import type { ConnectionEndCode } from '@footlights/model';

/** Why the server ended a connection: the errorCode of its event, and what its participant is told. */
export interface MediaEnding {
  code: ConnectionEndCode;
  /** Names the setting, where one decides. */
  message: string;
}

const endings: { readonly [R in CloseReason]?: MediaEnding } = {
  'bitrate-exceeded': {
    code: 'BITRATE_EXCEEDED',
    message: 'More bits a second were published than this server takes (setting: --max-publish-bitrate).',
  },
  'resolution-exceeded': {
    code: 'RESOLUTION_EXCEEDED',
    message: 'A larger picture was published than this server takes (setting: --max-publish-pixels).',
  },
  'duration-exceeded': {
    code: 'STREAM_DURATION_EXCEEDED',
    message: 'The connection lasted as long as this server allows (setting: --max-duration).',
  },
  'too-many-sources': {
    code: 'INVALID_INPUT',
    message: 'More RTP sources (SSRCs) were sent than any client needs.',
  },
  'b-frame-present': {
    code: 'B_FRAME_PRESENT',
    message: 'The video has B-frames, which viewers would see out of order (setting: --ingest-transcode).',
  },
  'invalid-video-codec': {
    code: 'INVALID_VIDEO_CODEC',
    message: 'The video is of a codec that viewers cannot decode.',
  },
  'invalid-audio-codec': { code: 'INVALID_AUDIO_CODEC', message: 'The audio is neither AAC-LC nor Opus.' },
  'missing-audio': { code: 'INVALID_INPUT', message: 'The encoder sent no audio; a stream has audio and video.' },
  'missing-video': { code: 'INVALID_INPUT', message: 'The encoder sent no video; a stream has audio and video.' },
};

/** Undefined when nothing was wrong with what was sent. */
export const mediaEnding = (reason: CloseReason): MediaEnding | undefined => endings[reason];
