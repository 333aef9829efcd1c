export { ChunkReader } from './chunk-reader.ts';
export { ChunkWriter } from './chunk-writer.ts';
export { type ClientHandler, type ClientOptions, RtmpClientSession } from './client-session.ts';
export { CAPABILITIES, CODEC_USE, type ConnectRequest, MAX_TEXT } from './connect.ts';
export { ClientHandshake, HANDSHAKE_LENGTH, type HandshakeKind, ServerHandshake } from './handshake.ts';
export { limits, MESSAGE, type Message } from './message.ts';
export {
  type AudioFrame,
  type CloseReason,
  MAX_HELD_BYTES,
  type PublishRequest,
  RtmpServerSession,
  type ServerHandler,
  type ServerOptions,
  type VideoFrame,
} from './server-session.ts';
export { Timeline } from './timeline.ts';
