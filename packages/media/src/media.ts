/** Where the workers listen and where their messages go. */
export interface MediaOptions {
  /** Number of worker processes. */
  workers: number;
  /** Address to bind: a loopback address, one of the machine's own, or 0.0.0.0. */
  listenIp: string;
  /** IPv4 address that the answers announce in place of the bound one, behind NAT or in a container. */
  announceIp?: string;
  /** UDP port of the first worker; worker i listens on port + i. 0 takes any free ones. */
  port: number;
  /** File that a worker process runs: the build of worker.ts. */
  workerPath: string;
  log: MediaLog;
}

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
}

/** The answer to an offer, and the codecs that will flow. */
export interface Accepted {
  answer: string;
  tracks: { audio?: 'opus'; video?: 'H264' | 'VP8' };
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
  | 'worker-lost';

/** What happens to an accepted connection: at most one `connected`, then exactly one `closed`. */
export type MediaEvent =
  | { type: 'connected'; connectionId: string }
  | { type: 'closed'; connectionId: string; reason: CloseReason };

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
}

/** One running worker process. */
export interface WorkerStatistics {
  pid: number;
  port: number;
  /** How late the worker's timers ran in the last second, at worst. */
  loopDelayMs: number;
  connections: ConnectionStatistics[];
}

export interface MediaStatistics {
  workers: WorkerStatistics[];
}

/** Live media: stages whose packets are forwarded by worker processes. */
export interface Media {
  /** The UDP port of each worker. */
  readonly ports: readonly number[];
  /** Answers an offer; rejects with MediaError. All connections of a stage live in one worker. */
  accept(request: AcceptRequest): Promise<Accepted>;
  /** Closes a connection; no effect on one that is closed or unknown. */
  close(connectionId: string): void;
  on(listener: (event: MediaEvent) => void): void;
  statistics(): Promise<MediaStatistics>;
  /** Ends all workers; no events follow. */
  shutdown(): Promise<void>;
}
