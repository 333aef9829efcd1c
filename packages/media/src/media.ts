import type { RecordingEvent, RecordingFailure, RecordingOptions } from './record/options.ts';

/** Where the workers listen and where their messages go. */
export interface MediaOptions {
  /** Number of worker processes. */
  workers: number;
  /** Address to bind: a loopback address, one of the machine's own, or 0.0.0.0. */
  listenIp: string;
  /** Addresses that the answers announce in place of the bound one, best first: behind NAT or in a container. */
  announceIps: readonly string[];
  /** UDP port of the first worker; worker i listens on port + i, and on port + workers + i for peers that answer no connectivity checks. 0 takes any free ones. */
  port: number;
  /** File that a worker process runs: the build of worker.ts. */
  workerPath: string;
  /** What participants may send and receive. */
  limits: MediaLimits;
  /** Takes streams of encoders over RTMP and RTMPS; absent: none. */
  ingest?: IngestOptions;
  /** Absent: nothing can be recorded. */
  recorder?: RecorderProcessOptions;
  log: MediaLog;
}

export interface RecorderProcessOptions {
  /** File that the recorder process runs: the build of recorder-worker.ts. */
  workerPath: string;
  /** Bytes of disk space for what sinks do not take, all recordings together; what is more is left out. */
  spoolBytes: number;
}

/** How encoders' streams come in. */
export interface IngestOptions {
  /** File that the ingest process runs: the build of ingest-worker.ts. */
  workerPath: string;
  /** Address to bind. */
  host: string;
  /** TCP ports; 0 takes any free one. */
  rtmpPort: number;
  rtmpsPort: number;
  /** PEM certificate chain and key of RTMPS. */
  tls: { cert: string; key: string };
  /** Streams with B-frames, or with a picture that is too large, are encoded anew instead of refused. */
  transcode: boolean;
  /** Decides about an encoder that wants to publish; never rejects. */
  authorize(request: IngestRequest): Promise<IngestAnswer>;
}

/** An encoder that wants to publish. */
export interface IngestRequest {
  streamKey: string;
  protocol: 'RTMP' | 'RTMPS';
  /** Of the encoder, with its port. */
  address: string;
}

/** Whose stream it is, or why it is not taken; the encoder is told the code and the message. */
export type IngestAnswer =
  | {
      accepted: {
        connectionId: string;
        stageId: string;
        participantId: string;
        /** Redundant ingest: the connection of which viewers get one encoder's stream or another's. It lasts until it is closed. */
        redundant?: { connectionId: string; participantId: string };
      };
    }
  | { refused: { code: string; message: string } };

/** Bounds of one participant's media; what goes beyond ends the connection or is not sent. */
export interface MediaLimits {
  /** Bits per second that a publisher may send, all layers together, as a mean over 10 s. */
  publishBps: number;
  /** Width times height of the largest picture that a publisher may send. */
  pixels: number;
  /** How long one connection may last. */
  durationMs: number;
  /** Bits per second that a participant is sent, all its subscriptions together. */
  subscribeBps: number;
}

/** The limits at AWS. */
export const awsMediaLimits: MediaLimits = {
  publishBps: 8_500_000,
  pixels: 1_280 * 720,
  durationMs: 24 * 3_600_000,
  subscribeBps: 8_500_000,
};

/** Receives the messages of all workers; each is bounded per second where it is made. */
export interface MediaLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One SDP offer of a participant, to be answered. */
export interface AcceptRequest {
  stageId: string;
  /** Unique among all open connections. */
  connectionId: string;
  participantId: string;
  offer: string;
  role: 'publish' | 'subscribe';
  /** The connection to receive from; needed when the role is subscribe. */
  publisherConnectionId?: string;
  /** The simulcast layer that a subscriber starts with; the lowest when absent. */
  initialLayer?: 'lowest' | 'highest';
}

export type VideoCodec = 'H264' | 'VP8' | 'VP9' | 'AV1';

/** The answer to an offer, and the codecs that will flow. */
export interface Accepted {
  answer: string;
  tracks: { audio?: 'opus'; video?: VideoCodec };
  /** The video comes in several simulcast layers. */
  layered: boolean;
}

/** One simulcast layer of the video that a subscriber receives, as it was measured. */
export interface LayerDescription {
  /** The RID of the layer, such as `hi`. */
  encodingId: string;
  /** Bits per second. */
  bitrate: number;
  /** 0 until a key frame told. */
  width: number;
  height: number;
  framesPerSecond: number;
  /** The publisher sends it now. */
  active: boolean;
  /** It is the one that is forwarded. */
  selected: boolean;
}

/** The layers of a subscription, the lowest first. */
export interface Layers {
  /** The m-line of the video in the offer. */
  mediaId: string;
  layers: LayerDescription[];
  /** False when the subscriber has chosen one. */
  automatic: boolean;
}

export type MediaErrorCode =
  | 'INVALID_OFFER'
  | 'INVALID_FRAGMENT'
  | 'ICE_RESTART_UNSUPPORTED'
  | 'NOT_ACCEPTABLE'
  | 'PUBLISHER_NOT_FOUND'
  | 'UNAVAILABLE';

/** Why an offer was not accepted; the message is fit for the client that sent it. */
export class MediaError extends Error {
  override readonly name = 'MediaError';
  readonly code: MediaErrorCode;

  constructor(code: MediaErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type CloseReason =
  | 'requested'
  | 'peer-closed'
  | 'timeout'
  | 'never-connected'
  | 'failed'
  | 'publisher-closed'
  | 'worker-lost'
  | 'bitrate-exceeded'
  | 'resolution-exceeded'
  | 'duration-exceeded'
  | 'too-many-sources'
  | 'b-frame-present'
  | 'invalid-video-codec'
  | 'invalid-audio-codec'
  | 'missing-audio'
  | 'missing-video';

/** Somebody who speaks now. */
export interface Speaker {
  participantId: string;
  /** Loudness, 0 (silence) to 1 (overload). */
  level: number;
}

/**
 * What happens to an accepted connection: at most one `connected`, then exactly one `closed`. `speakers` tells of a stage
 * who speaks, the loudest first, each time that this changes.
 */
export type MediaEvent =
  | { type: 'connected'; connectionId: string }
  | { type: 'closed'; connectionId: string; reason: CloseReason }
  | { type: 'speakers'; stageId: string; speakers: Speaker[] };

/** Counters since the connection was accepted. */
export interface ConnectionStatistics {
  connectionId: string;
  stageId: string;
  participantId: string;
  role: 'publish' | 'subscribe';
  connected: boolean;
  /** RTP packets from the peer, retransmissions and padding included. */
  packetsReceived: number;
  bytesReceived: number;
  packetsSent: number;
  bytesSent: number;
  /** Publish: lost on the way to us. Subscribe: lost on the way to the peer, as its receiver reports say. */
  packetsLost: number;
  /** Sequence numbers that the peer asked for again. */
  nacksReceived: number;
  /** Packets sent once more to the peer. */
  retransmissions: number;
  /** Key frame requests of the peer: PLI and FIR. */
  plisReceived: number;
  /** Video packets withheld from the peer because the worker was late. */
  droppedByOverload: number;
  roundTripMs?: number;
  /** Subscribe: what the path to the peer is thought to carry, in bits per second; absent until the peer told. */
  estimatedBps?: number;
  tracks: TrackStatistics[];
}

/** One simulcast layer (or the one stream) of a publisher's track, as it arrives. */
export interface LayerStatistics {
  /** The RID; absent without simulcast. */
  encodingId?: string;
  active: boolean;
  /** Bits per second of the last second. */
  bitrate: number;
  width: number;
  height: number;
  framesPerSecond: number;
  packetsReceived: number;
  packetsLost: number;
  jitterMs: number;
  keyFrames: number;
  /** Sequence numbers asked for again, and key frames asked for. */
  nacksSent: number;
  plisSent: number;
}

/** One track of a connection. */
export interface TrackStatistics {
  kind: 'audio' | 'video';
  codec: string;
  /** Publish: what arrives. */
  layers?: LayerStatistics[];
  /** Subscribe: the layer that is forwarded, and up to which temporal layer. */
  layer?: string;
  temporalLayer?: number;
  /** Subscribe. */
  packetsSent?: number;
  bytesSent?: number;
  packetsLost?: number;
  jitterMs?: number;
  keyFrames?: number;
  layerSwitches?: number;
  nacksReceived?: number;
  retransmissions?: number;
  plisReceived?: number;
  /** Subscribe: packets that were not forwarded, by reason. */
  dropped?: { overload: number; congestion: number; temporal: number };
}

/** How late a worker's timers ran, each that was due in the last five seconds counted once. */
export interface LoopDelayStatistics {
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** What a worker process has used since it started; all read in the moment of its counters. */
export interface ProcessUsage {
  uptimeMs: number;
  userCpuMs: number;
  systemCpuMs: number;
  residentBytes: number;
}

/** One running worker process. */
export interface WorkerStatistics {
  pid: number;
  port: number;
  usage: ProcessUsage;
  /** How late the worker's timers ran in the last second, at worst. */
  loopDelayMs: number;
  loopDelay: LoopDelayStatistics;
  /** Share of one core that the process used in the last second, 0 to 1 and more. */
  cpu: number;
  /** Packets that passed between it and other workers since it started. */
  relayed: RelayStatistics;
  connections: ConnectionStatistics[];
}

/** Packets of publications that go from worker to worker, each once however many receive it there. */
export interface RelayStatistics {
  sent: number;
  received: number;
  /** The other worker was too slow for them. */
  dropped: number;
}

/** What is recorded, and how the process does that records it, as of the last second. */
export interface RecorderStatistics {
  /** Under way: those that wait for their publisher, or for a sink to take the last files, too. */
  recordings: number;
  /** On disk, because sinks have not taken it yet. */
  spooledBytes: number;
  /** How late the timers ran, at worst. */
  loopDelayMs: number;
  /** Cores used. */
  cpu: number;
}

export interface MediaStatistics {
  workers: WorkerStatistics[];
  /** Absent where nothing can be recorded. */
  recorder?: RecorderStatistics;
}

/** Live media: stages whose packets are forwarded by worker processes. */
export interface Media {
  /** The UDP port of each worker. */
  readonly ports: readonly number[];
  /** The TCP ports for encoders; absent without ingest. */
  readonly ingestPorts?: { rtmp: number; rtmps: number } | undefined;
  /** Answers an offer; rejects with MediaError. All connections of a stage live in one worker. */
  accept(request: AcceptRequest): Promise<Accepted>;
  /** Closes a connection; no effect on one that is closed or unknown. */
  close(connectionId: string): void;
  /** A publisher shows its video or has stopped it: stopped video is forwarded to nobody. No effect on an unknown connection. */
  setVideoStopped(connectionId: string, stopped: boolean): void;
  /** The layers that a subscriber can choose from; undefined when it is unknown or receives no video. */
  layers(connectionId: string): Promise<Layers | undefined>;
  /** Pins a subscriber to a layer, or lets it be chosen automatically again; false when there is no such subscriber or layer. */
  chooseLayer(connectionId: string, encodingId: string | undefined): Promise<boolean>;
  on(listener: (event: MediaEvent) => void): void;
  /**
   * Begins a recording, or goes on with it, with what is published over a connection; without one it
   * waits for its end. What an earlier process stored of it stays.
   */
  record(options: RecordingOptions, connectionId?: string): void;
  /** The recording's publisher is gone, and may come back. */
  pauseRecording(id: string): void;
  /** Closes a recording's files; `ended` follows. `failure`: why it ends too early. */
  endRecording(id: string, failure?: RecordingFailure): void;
  onRecording(listener: (event: RecordingEvent) => void): void;
  statistics(): Promise<MediaStatistics>;
  /** Ends all workers; no events follow. */
  shutdown(): Promise<void>;
}
