/** Where a recording is stored. */
export type SinkDescription =
  | { type: 'folder'; root: string; bucket: string }
  | { type: 's3'; endpoint?: string; region: string; bucket: string };

/** What is recorded of a participant, and where. */
export interface RecordingOptions {
  /** Unique among all recordings of the server. */
  id: string;
  stageArn: string;
  sessionId: string;
  participantId: string;
  sink: SinkDescription;
  /** Of all keys, without a slash at the end. */
  prefix: string;
  /** When it began, in milliseconds since 1970. */
  startedAtMs: number;
  /** NONE: thumbnails alone. */
  media: 'AUDIO_VIDEO' | 'AUDIO_ONLY' | 'NONE';
  targetSegmentSeconds: number;
  /** Video that is not H.264 is encoded anew, instead of refused. */
  transcode: boolean;
  /** Absent: none. */
  thumbnails?: { intervalSeconds: number; sequential: boolean; latest: boolean };
  /** File that tells a later process what is stored already. */
  journalPath: string;
}

/** Why a recording is not what it was to be, as EventBridge's error_code and reason have it. */
export interface RecordingFailure {
  code: 'ResourceNotFoundException' | 'AccessDeniedException' | 'ValidationException' | 'InternalServerException';
  reason: string;
}

/** What becomes of a recording: `started` once at most, then `ended` once. */
export type RecordingEvent =
  | { type: 'started'; id: string }
  | { type: 'ended'; id: string; started: boolean; durationMs: number; failure?: RecordingFailure };
