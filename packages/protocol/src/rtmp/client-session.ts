import * as amf from '../amf/index.ts';
import { ChunkReader } from './chunk-reader.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { command, readCommand } from './command.ts';
import { acknowledgement, setChunkSize, userControl, windowSize } from './control.ts';
import { ClientHandshake, type HandshakeKind } from './handshake.ts';
import { CHUNK_STREAM, MESSAGE, type Message, USER_CONTROL } from './message.ts';

/** What a client says, and where its bytes go. */
export interface ClientHandler {
  /** Bytes for the server. */
  send(bytes: Buffer): void;
  /** The server takes the stream: send media. */
  publishing(): void;
  /** The server refused or ended something: `_error`, or `onStatus` of level `error`. */
  refused(code: string, description: string): void;
  /** Any other status, such as `NetConnection.Connect.ReconnectRequest`. */
  status(code: string, values: amf.AmfObject): void;
  /** The server broke the protocol. */
  malformed(description: string): void;
}

/** Where and how to publish. */
export interface ClientOptions {
  app: string;
  tcUrl: string;
  streamKey: string;
  handshake: HandshakeKind;
  /** Bytes of the chunks that are sent. */
  chunkSize: number;
  /** More members of `connect`'s object, such as those of Enhanced RTMP. */
  connect?: Record<string, amf.AmfValue>;
}

/** Transactions of what a client asks, in order. */
const TRANSACTION = { connect: 1, releaseStream: 2, fcPublish: 3, createStream: 4, publish: 5 } as const;

/** The client's side of an RTMP connection that sends one stream (RTMP 1.0, 7.3.1). Bytes in, events and bytes out. */
export class RtmpClientSession {
  private readonly handler: ClientHandler;
  private readonly options: ClientOptions;
  private readonly reader = new ChunkReader();
  private readonly writer = new ChunkWriter();
  private handshake: ClientHandshake | undefined;
  private streamId = 0;
  private received = 0;
  private acknowledged = 0;
  private window = 2_500_000;

  constructor(handler: ClientHandler, options: ClientOptions) {
    this.handler = handler;
    this.options = options;
  }

  /** Sends the first bytes. */
  start(): void {
    this.handshake = new ClientHandshake(this.options.handshake);
    this.handler.send(this.handshake.hello);
  }

  /** Takes what the server sent, in pieces of any size. */
  receive(bytes: Buffer): void {
    this.received += bytes.length;
    let at = this.handshake === undefined ? 0 : this.shakeHands(this.handshake, bytes);
    while (at < bytes.length && this.reader.error === undefined) {
      at = this.reader.read(bytes, at);
      const message = this.reader.take();
      if (message !== undefined) this.handle(message);
    }
    if (this.reader.error !== undefined) this.handler.malformed(this.reader.error);
    if (this.received - this.acknowledged < this.window / 2) return;
    this.acknowledged = this.received;
    this.send(CHUNK_STREAM.control, acknowledgement(this.received));
  }

  /** Sends the body of an audio message, made with `flv.writeAac` or `flv.writeExAudio`. */
  audio(timestampMs: number, body: Buffer): void {
    this.media(CHUNK_STREAM.audio, MESSAGE.audio, timestampMs, body);
  }

  /** Sends the body of a video message, made with `flv.writeAvc` or `flv.writeExVideo`. */
  video(timestampMs: number, body: Buffer): void {
    this.media(CHUNK_STREAM.video, MESSAGE.video, timestampMs, body);
  }

  /** Says what the stream is. */
  metadata(values: amf.AmfObject): void {
    this.media(CHUNK_STREAM.data, MESSAGE.data0, 0, amf.write0('@setDataFrame', 'onMetaData', values));
  }

  /** Ends the stream. */
  unpublish(): void {
    const { streamKey } = this.options;
    this.send(CHUNK_STREAM.command, command(0, 'FCUnpublish', 0, null, streamKey));
    this.send(CHUNK_STREAM.command, command(0, 'deleteStream', 0, null, this.streamId));
  }

  private media(chunkStream: number, type: number, timestampMs: number, body: Buffer): void {
    this.send(chunkStream, { type, streamId: this.streamId, timestamp: timestampMs >>> 0, body });
  }

  private send(chunkStream: number, message: Message): void {
    this.handler.send(this.writer.write(chunkStream, message));
  }

  private shakeHands(handshake: ClientHandshake, bytes: Buffer): number {
    const { at, reply } = handshake.receive(bytes, 0);
    if (reply !== undefined) this.handler.send(reply);
    if (handshake.error !== undefined) this.handler.malformed(handshake.error);
    if (!handshake.done) return at;
    this.handshake = undefined;
    if (handshake.verified) this.connect();
    else this.handler.malformed('S2 does not answer C1');
    return at;
  }

  private connect(): void {
    const { app, tcUrl, chunkSize, connect } = this.options;
    const object = amf.object({ app, type: 'nonprivate', flashVer: 'FMLE/3.0 (compatible)', tcUrl, ...connect });
    this.send(CHUNK_STREAM.control, setChunkSize(chunkSize));
    this.send(CHUNK_STREAM.command, command(0, 'connect', TRANSACTION.connect, object));
  }

  private handle(message: Message): void {
    const { type, body } = message;
    if (type === MESSAGE.command0 || type === MESSAGE.command3) this.handleCommand(message);
    if (type === MESSAGE.windowSize && body.length >= 4) this.window = Math.max(1, body.readUInt32BE(0));
    if (type === MESSAGE.peerBandwidth && body.length >= 4) {
      this.send(CHUNK_STREAM.control, windowSize(body.readUInt32BE(0)));
    }
    if (type === MESSAGE.userControl && body.length >= 6 && body.readUInt16BE(0) === USER_CONTROL.pingRequest) {
      this.send(CHUNK_STREAM.control, userControl(USER_CONTROL.pingResponse, body.readUInt32BE(2)));
    }
  }

  private handleCommand(message: Message): void {
    const received = readCommand(message);
    if (typeof received === 'string') {
      this.handler.malformed(received);
      return;
    }
    const { name, transaction, args } = received;
    if (name === '_result') this.handleResult(transaction, args[0]);
    else if (name === '_error') this.refused(args[0]);
    else if (name === 'onStatus') this.handleStatus(args[0]);
  }

  private handleStatus(values: amf.AmfValue): void {
    const code = amf.textOf(values, 'code') ?? '';
    if (amf.textOf(values, 'level') === 'error') this.refused(values);
    else if (code === 'NetStream.Publish.Start') this.handler.publishing();
    else if (amf.isObject(values)) this.handler.status(code, values);
  }

  private refused(values: amf.AmfValue): void {
    this.handler.refused(amf.textOf(values, 'code') ?? '', amf.textOf(values, 'description') ?? '');
  }

  private handleResult(transaction: number, value: amf.AmfValue): void {
    const { streamKey } = this.options;
    if (transaction === TRANSACTION.connect) {
      this.send(CHUNK_STREAM.command, command(0, 'releaseStream', TRANSACTION.releaseStream, null, streamKey));
      this.send(CHUNK_STREAM.command, command(0, 'FCPublish', TRANSACTION.fcPublish, null, streamKey));
      this.send(CHUNK_STREAM.command, command(0, 'createStream', TRANSACTION.createStream, null));
    } else if (transaction === TRANSACTION.createStream && typeof value === 'number') {
      this.streamId = value;
      const publish = command(value, 'publish', TRANSACTION.publish, null, streamKey, 'live');
      this.send(CHUNK_STREAM.command, publish);
    }
  }
}
