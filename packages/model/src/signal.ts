// The JSON messages on the events WebSocket of a stage.
import { isJsonObject, ownValue, parseJson } from './json.ts';

/** What a client may say. */
export type ClientMessage =
  | { type: 'PING' }
  | { type: 'SET_STATE'; audioMuted?: boolean; videoStopped?: boolean }
  | {
      type: 'aws:ivs:EXCHANGE_TOKEN';
      payload: { oldToken: string; newToken: string; requestId: string; traceId?: string };
    };

/** A message that we do not know; clients of later versions may send such. */
export interface UnknownMessage {
  type: 'unknown';
  /** What the client calls it, cut to 64 characters. */
  name: string;
}

/** One participant as everyone in the stage sees it. */
export interface StageStateParticipant {
  id: string;
  userId: string;
  attributes: Record<string, string>;
  isPublishing: boolean;
  audioMuted: boolean;
  videoStopped: boolean;
}

/** Why a client is put out for good. */
export type DisconnectCode = 'STAGE_DELETED' | 'TOKEN_REUSED' | 'PARTICIPANT_DISCONNECTED';

/** Why a client may not join; clients know the first four, and show the message of any other. */
export type JoinErrorCode =
  | 'STAGE_DELETED'
  | 'PARTICIPANT_DISCONNECTED'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_INVALID'
  | (string & {});

/** Somebody who speaks now; `level` is the loudness, 0 (silence) to 1 (overload). */
export interface ActiveSpeaker {
  participantId: string;
  level: number;
}

/** Why the server ended a media connection; these are also the errorCode of the participant event. The last four are of encoders. */
export type ConnectionEndCode =
  | 'BITRATE_EXCEEDED'
  | 'RESOLUTION_EXCEEDED'
  | 'STREAM_DURATION_EXCEEDED'
  | 'B_FRAME_PRESENT'
  | 'INVALID_VIDEO_CODEC'
  | 'INVALID_AUDIO_CODEC'
  | 'INVALID_INPUT';

/** What the server says. `sequenceNumber` starts above 0 and rises with every frame of one connection. */
export type ServerMessage =
  | { type: 'PONG' }
  | {
      type: 'STAGE_STATE';
      payload: { stageId: string; sequenceNumber: number; participants: StageStateParticipant[] };
    }
  /** Who speaks, the loudest first; of another sequence than STAGE_STATE. Nobody speaks before the first one. */
  | {
      type: 'footlights:ACTIVE_SPEAKERS';
      payload: { stageId: string; sequenceNumber: number; speakers: ActiveSpeaker[] };
    }
  /** To the one whose connection it was; `publisherId` is whom it received. Clients that do not know it see a connection end. */
  | {
      type: 'footlights:CONNECTION_ENDED';
      payload: { role: 'publish' | 'subscribe'; publisherId?: string; code: ConnectionEndCode; message: string };
    }
  | { type: 'aws:ivs:DISCONNECT'; payload: { code: DisconnectCode } }
  | { type: 'aws:ivs:JOIN_ERROR'; payload: { code: JoinErrorCode; message: string } }
  | { type: 'aws:ivs:EXCHANGE_TOKEN'; payload: { requestId: string; code?: string; message?: string } };

/** Most characters of one message from a client. */
export const MAX_CLIENT_MESSAGE_LENGTH = 65_536;
/** Most characters of a token in a message. */
export const MAX_TOKEN_LENGTH = 16_384;
/** Most characters of a request id or trace id in a message. */
export const MAX_MESSAGE_ID_LENGTH = 256;
const MAX_UNKNOWN_NAME_LENGTH = 64;

function parseSetState(message: Record<string, unknown>): ClientMessage | undefined {
  const audioMuted = ownValue(message, 'audioMuted');
  const videoStopped = ownValue(message, 'videoStopped');
  if (audioMuted !== undefined && typeof audioMuted !== 'boolean') return undefined;
  if (videoStopped !== undefined && typeof videoStopped !== 'boolean') return undefined;
  return {
    type: 'SET_STATE',
    ...(audioMuted === undefined ? {} : { audioMuted }),
    ...(videoStopped === undefined ? {} : { videoStopped }),
  };
}

function textOf(payload: Record<string, unknown>, name: string, maxLength: number): string | undefined {
  const value = ownValue(payload, name);
  return typeof value === 'string' && value.length <= maxLength ? value : undefined;
}

function parseExchangeToken(message: Record<string, unknown>): ClientMessage | undefined {
  const payload = ownValue(message, 'payload');
  if (!isJsonObject(payload)) return undefined;
  const oldToken = textOf(payload, 'oldToken', MAX_TOKEN_LENGTH);
  const newToken = textOf(payload, 'newToken', MAX_TOKEN_LENGTH);
  const requestId = textOf(payload, 'requestId', MAX_MESSAGE_ID_LENGTH);
  const traceId = textOf(payload, 'traceId', MAX_MESSAGE_ID_LENGTH);
  if (oldToken === undefined || newToken === undefined || requestId === undefined) return undefined;
  return {
    type: 'aws:ivs:EXCHANGE_TOKEN',
    payload: { oldToken, newToken, requestId, ...(traceId === undefined ? {} : { traceId }) },
  };
}

/** Reads a message of a client; undefined when it is not a JSON object, too long, or a member has the wrong type. */
export function parseClientMessage(text: string): ClientMessage | UnknownMessage | undefined {
  if (text.length > MAX_CLIENT_MESSAGE_LENGTH) return undefined;
  const message = parseJson(text);
  if (!isJsonObject(message)) return undefined;
  const type = ownValue(message, 'type');
  if (typeof type !== 'string') return undefined;
  switch (type) {
    case 'PING':
      return { type };
    case 'SET_STATE':
      return parseSetState(message);
    case 'aws:ivs:EXCHANGE_TOKEN':
      return parseExchangeToken(message);
    default:
      return { type: 'unknown', name: type.slice(0, MAX_UNKNOWN_NAME_LENGTH) };
  }
}
