import type { LogLevel } from '../channel.ts';
import type { RecorderStatistics } from '../media.ts';
import type { RelaySource } from '../relay/index.ts';
import type { RecordingEvent, RecordingFailure, RecordingOptions } from './options.ts';

/** Main process to recorder process. */
export type ToRecorder =
  /** `spoolBytes`: disk space for what sinks do not take, all recordings together. */
  | { type: 'start'; spoolBytes: number }
  /** Begins a recording, or goes on with it, with what is published at the source; without one, it waits for its end. */
  | { type: 'record'; options: RecordingOptions; source?: RelaySource }
  /** The publication is over: the recording waits. */
  | { type: 'pause'; id: string }
  | { type: 'end'; id: string; failure?: RecordingFailure }
  | { type: 'shutdown' };

/** Recorder process to main process. */
export type FromRecorder =
  | { type: 'ready' }
  | { type: 'recording'; event: RecordingEvent }
  /** Sent every second: a process without it hangs. */
  | { type: 'pulse'; statistics: RecorderStatistics }
  | { type: 'log'; level: LogLevel; fields: object; message: string };
