import type { RecordingFailure, RecordingOptions } from './options.ts';

export type RecordingStatus =
  | 'RECORDING_STARTED'
  | 'RECORDING_ENDED'
  | 'RECORDING_START_FAILED'
  | 'RECORDING_ENDED_WITH_FAILURE';

export interface RecordingOutcome {
  status: RecordingStatus;
  startedAtMs: number;
  endedAtMs?: number;
  durationMs?: number;
  failure?: RecordingFailure;
}

/** Seconds, in UTC: `2024-03-13T13:17:17Z`. */
export const rfc3339 = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** What `events/recording-*.json` says, in AWS's member names. */
export function recordingMetadata(options: RecordingOptions, outcome: RecordingOutcome): string {
  const { stageArn, sessionId, participantId, thumbnails } = options;
  const { status, startedAtMs, endedAtMs, durationMs, failure } = outcome;
  const renditions = [{ path: 'high' }];
  const document = {
    version: 'v1',
    stage_arn: stageArn,
    session_id: sessionId,
    participant_id: participantId,
    recording_status: status,
    ...(status !== 'RECORDING_START_FAILED' && { recording_started_at: rfc3339(startedAtMs) }),
    ...(endedAtMs !== undefined && { recording_ended_at: rfc3339(endedAtMs) }),
    ...(failure && { recording_status_message: failure.reason }),
    media: {
      hls: {
        path: 'media/hls',
        playlist: 'multivariant.m3u8',
        ...(durationMs !== undefined && { duration_ms: durationMs }),
        renditions: [{ path: 'high', playlist: 'playlist.m3u8' }],
      },
      ...(thumbnails?.sequential && { thumbnails: { path: 'media/thumbnails', renditions } }),
      ...(thumbnails?.latest && { latest_thumbnail: { path: 'media/latest_thumbnail', renditions } }),
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
