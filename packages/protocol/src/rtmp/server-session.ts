import * as amf from '../amf/index.ts';
import * as flv from '../flv/index.ts';
import { ChunkReader } from './chunk-reader.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { type Command, command, info, messageValues, onStatus, readCommand, shown } from './command.ts';
import { CAPABILITIES, type ConnectRequest, enhancedMembers, MAX_TEXT, readConnect } from './connect.ts';
import { acknowledgement, peerBandwidth, setChunkSize, userControl, windowSize } from './control.ts';
import { ServerHandshake } from './handshake.ts';
import { CHUNK_STREAM, limits, MESSAGE, type Message, USER_CONTROL } from './message.ts';
import { Timeline } from './timeline.ts';

/** Bytes kept while a decision is due; the owner should read no more from the peer then. */
export const MAX_HELD_BYTES = 1024 * 1024;
/** Bytes between acknowledgements, unless the peer says its own window; also what it is told. */
const WINDOW = 2_500_000;
/** Bytes of the chunks that are sent. */
const CHUNK_SIZE = 4_096;
/** What encoders look for in a server of live streams: its version, and what Flash Media Server calls its capabilities. */
const SERVER = { fmsVer: 'FMS/3,5,7,7009', capabilities: 31 };

/** An encoder wants to send a stream (RTMP 1.0, 7.2.2.6). */
export interface PublishRequest {
  /** The stream's name, without what follows a `?`. */
  streamKey: string;
  /** What follows the `?`; empty without one. */
  query: string;
  /** `live`, `record` or `append`; encoders differ. */
  type: string;
}

/** A part of an audio message, with its time. */
export interface AudioFrame extends flv.AudioPacket {
  /** Milliseconds on one line with the video, unwrapped; fractions where the encoder says nanoseconds. */
  timestampMs: number;
}

/** A part of a video message, with the time at which it is decoded. */
export interface VideoFrame extends flv.VideoPacket {
  /** Milliseconds on one line with the audio, unwrapped; fractions where the encoder says nanoseconds. */
  timestampMs: number;
}

/** Why a session is over. */
export type CloseReason =
  | { kind: 'refused'; code: string; description: string }
  /** The peer broke the protocol or a limit, which the description names. */
  | { kind: 'malformed'; description: string };

/** What a session says, and where its bytes go. Calls come from within `receive`, `accept` and `reject`. */
export interface ServerHandler {
  /** Bytes for the peer. */
  send(bytes: Buffer): void;
  /** Answer with `accept` or `reject`, now or later. */
  connect(request: ConnectRequest): void;
  /** Answer with `accept` or `reject`, now or later. */
  publish(request: PublishRequest): void;
  /** `onMetaData`: what the encoder says of the stream, such as width, height and rates. */
  metadata(values: amf.AmfObject): void;
  audio(frame: AudioFrame): void;
  video(frame: VideoFrame): void;
  /** The encoder ended the stream; it may publish another. */
  unpublish(): void;
  /** Nothing follows: end the connection once what was sent is out. */
  close(reason: CloseReason): void;
}

/** What `connect` is answered with. */
export interface ServerOptions {
  /** FourCCs that encoders are told they may send (Enhanced RTMP). */
  videoCodecs: readonly string[];
  audioCodecs: readonly string[];
}

type State = 'handshake' | 'new' | 'connecting' | 'connected' | 'asking' | 'publishing' | 'closed';

/**
 * The server's side of an RTMP connection that receives one stream (RTMP 1.0, Enhanced RTMP v2). Bytes in, events and bytes out; no
 * socket, no clock. What a peer sends never throws.
 */
export class RtmpServerSession {
  /** What came and was not used. */
  readonly counters = { malformed: 0, ignored: 0 };
  private readonly handler: ServerHandler;
  private readonly options: ServerOptions;
  private readonly reader = new ChunkReader();
  private readonly writer = new ChunkWriter();
  private readonly timeline = new Timeline();
  private handshake: ServerHandshake | undefined = new ServerHandshake();
  private state: State = 'handshake';
  private held: Buffer[] = [];
  /** What was written since the last `flush`: many small answers leave as one. */
  private outbox: Buffer[] = [];
  private heldBytes = 0;
  private received = 0;
  private acknowledged = 0;
  private window = WINDOW;
  private request: ConnectRequest | undefined;
  /** The transaction of the `connect`, and the message stream of the `publish`. */
  private transaction = 0;
  private streamId = 0;
  private streams = 0;

  constructor(handler: ServerHandler, options: ServerOptions) {
    this.handler = handler;
    this.options = options;
    this.reader.limitPending(limits.unpublishedBytes);
  }

  /** True while a decision is due: read no more from the peer until it is made. */
  get waiting(): boolean {
    return this.state === 'connecting' || this.state === 'asking';
  }

  /** True once the peer's handshake is complete. */
  get established(): boolean {
    return this.handshake === undefined;
  }

  /** Takes what the peer sent, in pieces of any size. The bytes must not change afterwards. */
  receive(bytes: Buffer): void {
    this.received += bytes.length;
    this.process(bytes);
    this.acknowledge();
    this.flush();
  }

  /** Grants what was asked for; nothing when no decision is due. */
  accept(): void {
    if (this.state === 'connecting') this.acceptConnect();
    else if (this.state === 'asking') this.acceptPublish();
    else return;
    const { held } = this;
    this.held = [];
    this.heldBytes = 0;
    for (const bytes of held) this.process(bytes);
    this.flush();
  }

  /**
   * Refuses what was asked for, or ends what was granted: the peer is told `code` (such as `NetStream.Publish.BadName`) and
   * `description`, then `close` follows.
   */
  reject(code: string, description: string): void {
    if (this.state === 'closed') return;
    if (this.state === 'connecting') {
      this.send(CHUNK_STREAM.command, command(0, '_error', this.transaction, null, info('error', code, description)));
    } else if (this.handshake === undefined) {
      this.send(CHUNK_STREAM.command, onStatus(this.streamId, 'error', code, description));
    }
    this.close({ kind: 'refused', code, description });
  }

  /**
   * Asks the encoder to connect anew, to `tcUrl` when one is given (Enhanced RTMP v2, Reconnect Request). False when it does not
   * know how.
   */
  requestReconnect(description: string, tcUrl?: string): boolean {
    if (this.state === 'closed' || ((this.request?.capabilities ?? 0) & CAPABILITIES.reconnect) === 0) return false;
    const more = tcUrl === undefined ? {} : { tcUrl };
    const status = info('status', 'NetConnection.Connect.ReconnectRequest', description, more);
    this.send(CHUNK_STREAM.command, command(0, 'onStatus', 0, null, status));
    this.flush();
    return true;
  }

  private process(bytes: Buffer): void {
    let at = this.handshake === undefined ? 0 : this.shakeHands(this.handshake, bytes);
    while (at < bytes.length && !this.waiting && this.state !== 'closed') {
      at = this.reader.read(bytes, at);
      const message = this.reader.take();
      if (message !== undefined) this.handle(message);
      if (this.reader.error !== undefined) this.fail(this.reader.error);
    }
    if (this.waiting && at < bytes.length) this.hold(at === 0 ? bytes : bytes.subarray(at));
  }

  private shakeHands(handshake: ServerHandshake, bytes: Buffer): number {
    const { at, reply } = handshake.receive(bytes, 0);
    if (handshake.error !== undefined) this.fail(handshake.error);
    if (reply !== undefined) this.outbox.push(reply);
    if (handshake.done) {
      this.handshake = undefined;
      this.state = 'new';
    }
    return at;
  }

  private hold(bytes: Buffer): void {
    this.heldBytes += bytes.length;
    this.held.push(bytes);
    if (this.heldBytes > MAX_HELD_BYTES) this.fail(`more than ${MAX_HELD_BYTES} bytes before an answer`);
  }

  private send(chunkStream: number, ...messages: Message[]): void {
    for (const message of messages) this.outbox.push(this.writer.write(chunkStream, message));
  }

  private flush(): void {
    const [first, ...rest] = this.outbox;
    if (first === undefined) return;
    this.outbox = [];
    this.handler.send(rest.length === 0 ? first : Buffer.concat([first, ...rest]));
  }

  private acknowledge(): void {
    if (this.state === 'closed' || this.handshake !== undefined) return;
    if (this.received - this.acknowledged < this.window / 2) return;
    this.acknowledged = this.received;
    this.send(CHUNK_STREAM.control, acknowledgement(this.received));
  }

  private fail(description: string): void {
    if (this.state !== 'closed') this.close({ kind: 'malformed', description });
  }

  private close(reason: CloseReason): void {
    this.state = 'closed';
    this.held = [];
    this.flush();
    this.handler.close(reason);
  }

  private handle(message: Message): void {
    switch (message.type) {
      case MESSAGE.audio:
      case MESSAGE.video:
      case MESSAGE.aggregate:
        this.handleMedia(message);
        break;
      case MESSAGE.command0:
      case MESSAGE.command3:
        this.handleCommand(message);
        break;
      case MESSAGE.data0:
      case MESSAGE.data3:
        this.handleData(message);
        break;
      case MESSAGE.windowSize:
        if (message.body.length >= 4) this.window = Math.max(1, message.body.readUInt32BE(0));
        break;
      case MESSAGE.userControl:
        this.handleUserControl(message.body);
        break;
      case MESSAGE.setChunkSize:
      case MESSAGE.abort:
      case MESSAGE.acknowledgement:
      case MESSAGE.peerBandwidth:
        break;
      default:
        this.counters.ignored++;
    }
  }

  private handleUserControl(body: Buffer): void {
    if (body.length < 6 || body.readUInt16BE(0) !== USER_CONTROL.pingRequest) return;
    this.send(CHUNK_STREAM.control, userControl(USER_CONTROL.pingResponse, body.readUInt32BE(2)));
  }

  private handleMedia(message: Message): void {
    if (this.state !== 'publishing' || message.streamId !== this.streamId) this.counters.ignored++;
    else if (message.type === MESSAGE.audio) this.audio(message.timestamp, message.body);
    else if (message.type === MESSAGE.video) this.video(message.timestamp, message.body);
    else this.aggregate(message);
  }

  /** Tags whose times count from the message's own (RTMP 1.0, 7.1.6). */
  private aggregate(message: Message): void {
    const tags = flv.parseTags(message.body);
    if (typeof tags === 'string') {
      this.counters.malformed++;
      return;
    }
    for (const { type, timestamp, data } of tags) {
      const time = (message.timestamp + timestamp - tags[0]!.timestamp) >>> 0;
      if (type !== MESSAGE.aggregate) this.handle({ type, streamId: message.streamId, timestamp: time, body: data });
    }
  }

  private audio(timestamp: number, body: Buffer): void {
    const time = this.timeline.unwrap(timestamp);
    const packets = flv.parseAudio(body);
    if (typeof packets === 'string') this.counters.malformed++;
    else for (const packet of packets) this.deliverAudio(packet, time);
  }

  private deliverAudio(packet: flv.AudioPacket, time: number): void {
    if (this.state === 'publishing') this.handler.audio({ ...packet, timestampMs: time + packet.nanoOffset / 1e6 });
  }

  private video(timestamp: number, body: Buffer): void {
    const time = this.timeline.unwrap(timestamp);
    const packets = flv.parseVideo(body);
    if (typeof packets === 'string') this.counters.malformed++;
    else for (const packet of packets) this.deliverVideo(packet, time);
  }

  private deliverVideo(packet: flv.VideoPacket, time: number): void {
    if (this.state === 'publishing') this.handler.video({ ...packet, timestampMs: time + packet.nanoOffset / 1e6 });
  }

  /** `@setDataFrame, onMetaData, values`, or without the first. */
  private handleData(message: Message): void {
    if (this.state !== 'publishing') return;
    const values = messageValues(message);
    if (typeof values === 'string') {
      this.counters.malformed++;
      return;
    }
    const [name, metadata] = values[0] === '@setDataFrame' ? values.slice(1) : values;
    if (name === 'onMetaData' && amf.isObject(metadata)) this.handler.metadata(metadata);
    else this.counters.ignored++;
  }

  private handleCommand(message: Message): void {
    const received = readCommand(message);
    if (typeof received === 'string') this.fail(`a command ${received}`);
    else if (received.name === 'connect') this.onConnect(received);
    else if (this.state === 'new') this.fail(`${shown(received.name)} before connect`);
    else this.dispatch(received, message.streamId);
  }

  private dispatch(received: Command, streamId: number): void {
    switch (received.name) {
      case 'createStream':
        this.reply(received, ++this.streams);
        break;
      case 'publish':
        this.onPublish(received, streamId);
        break;
      case 'releaseStream':
      case '_checkbw':
      case 'getStreamLength':
        this.reply(received, undefined);
        break;
      case 'FCPublish':
        this.onFcPublish(received);
        break;
      case 'FCUnpublish':
      case 'closeStream':
      case 'deleteStream':
        this.onUnpublish(received);
        break;
      case 'play':
      case 'play2':
        this.onPlay(streamId);
        break;
      default:
        this.onUnknown(received);
    }
  }

  private reply({ transaction }: Command, value: amf.AmfValue): void {
    if (transaction !== 0) this.send(CHUNK_STREAM.command, command(0, '_result', transaction, null, value));
  }

  private onConnect({ transaction, object }: Command): void {
    const request = this.state === 'new' ? readConnect(object) : 'a connect before it';
    if (typeof request === 'string') {
      this.fail(`connect has ${request}`);
      return;
    }
    this.state = 'connecting';
    this.request = request;
    this.transaction = transaction;
    this.handler.connect(request);
  }

  private acceptConnect(): void {
    this.state = 'connected';
    const { objectEncoding, fourCcs, capabilities } = this.request!;
    const { videoCodecs, audioCodecs } = this.options;
    const enhanced = fourCcs.length > 0 || capabilities > 0 ? enhancedMembers(videoCodecs, audioCodecs) : {};
    const properties = amf.object({ ...SERVER, ...enhanced });
    const status = info('status', 'NetConnection.Connect.Success', 'Connection succeeded.', { objectEncoding });
    this.send(CHUNK_STREAM.control, windowSize(WINDOW), peerBandwidth(WINDOW), setChunkSize(CHUNK_SIZE));
    this.send(CHUNK_STREAM.command, command(0, '_result', this.transaction, properties, status));
  }

  private onPublish({ args: [name, type] }: Command, streamId: number): void {
    if (this.state === 'publishing') {
      this.reject('NetStream.Publish.BadName', 'This connection publishes already.');
    } else if (typeof name !== 'string' || name.length > MAX_TEXT) {
      this.fail(`publish has no stream name of up to ${MAX_TEXT} characters`);
    } else {
      this.state = 'asking';
      this.streamId = streamId;
      const [streamKey, ...query] = name.split('?');
      const words = { streamKey: streamKey!, query: query.join('?'), type: typeof type === 'string' ? type : '' };
      this.handler.publish(words);
    }
  }

  private acceptPublish(): void {
    this.state = 'publishing';
    this.reader.limitPending(limits.pendingBytes);
    this.send(CHUNK_STREAM.control, userControl(USER_CONTROL.streamBegin, this.streamId));
    const status = onStatus(this.streamId, 'status', 'NetStream.Publish.Start', 'The stream is being received.');
    this.send(CHUNK_STREAM.command, status);
  }

  /** Flash Media Server's own, which encoders send before `publish`. */
  private onFcPublish(received: Command): void {
    this.reply(received, undefined);
    const status = info('status', 'NetStream.Publish.Start', 'Publish follows.');
    this.send(CHUNK_STREAM.command, command(0, 'onFCPublish', 0, null, status));
  }

  private onUnpublish(received: Command): void {
    this.reply(received, undefined);
    if (this.state !== 'publishing') return;
    const about = received.args[0];
    if (received.name === 'deleteStream' && about !== this.streamId) return;
    this.state = 'connected';
    this.reader.limitPending(limits.unpublishedBytes);
    this.send(
      CHUNK_STREAM.command,
      onStatus(this.streamId, 'status', 'NetStream.Unpublish.Success', 'The stream ended.'),
    );
    this.handler.unpublish();
  }

  private onPlay(streamId: number): void {
    this.streamId = streamId;
    this.reject('NetStream.Play.Failed', 'Streams are received here and not played over RTMP.');
  }

  private onUnknown({ name, transaction }: Command): void {
    this.counters.ignored++;
    if (transaction === 0) return;
    const status = info('error', 'NetConnection.Call.Failed', `The command ${shown(name)} is not known.`);
    this.send(CHUNK_STREAM.command, command(0, '_error', transaction, null, status));
  }
}
