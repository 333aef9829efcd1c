import type { FromWorker, ToWorker } from './channel.ts';
import type { FromIngest, ToIngest } from './ingest/channel.ts';
import type { Media, MediaOptions } from './media.ts';
import { WorkerPool } from './pool.ts';
import type { FromRecorder, ToRecorder } from './record/channel.ts';
import { forkChild } from './rim/fork.ts';

export { RTMP_LIMITS, type RtmpLimits } from './ingest/limits.ts';
export type { RtmpEnd, RtmpSession, RtmpSessionInfo, RtmpSessionListener } from './ingest/rtmp-connection.ts';
export { LogBudget } from './log-budget.ts';
export * from './media.ts';
export type { RecordingEvent, RecordingFailure, RecordingOptions, SinkDescription } from './record/options.ts';
export { type Certificate, makeCertificate } from './rim/certificate.ts';
export { type RtmpListener, type RtmpListenerOptions, startRtmpListener } from './rim/rtmp-listener.ts';
export { checkTrickle, iceUfrag } from './trickle.ts';

/** Starts the worker processes; rejects with one clear line when one cannot start, as with a UDP port in use. */
export function startMedia(options: MediaOptions): Promise<Media> {
  const { workerPath, ingest, recorder } = options;
  const spawnIngest = ingest && (() => forkChild<ToIngest, FromIngest>(ingest.workerPath));
  const spawnRecorder = recorder && (() => forkChild<ToRecorder, FromRecorder>(recorder.workerPath));
  const spawnWorker = () => forkChild<ToWorker, FromWorker>(workerPath);
  return WorkerPool.start(options, spawnWorker, spawnIngest, spawnRecorder);
}
