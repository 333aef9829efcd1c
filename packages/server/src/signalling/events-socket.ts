import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { LogBudget } from '@footlights/media';
import { type ClientMessage, parseClientMessage, type ServerMessage } from '@footlights/model';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Log } from '../log.ts';
import { type Authenticated, authenticate } from './authenticate.ts';
import { exchange } from './exchange.ts';
import { closeCode } from './live-stage.ts';
import type { LiveStages } from './live-stages.ts';
import type { EventsSocket } from './participant.ts';
import { Refusal, type RefusalCode, toRefusal } from './refusal.ts';
import type { TokenAuthority, VerifiedToken } from './tokens.ts';

/** Largest message from a client, in bytes; ws closes with 1009 above it. Two tokens of an exchange fit. */
export const maxMessageBytes = 32 * 1024;
/** Messages a second that a client may send; above it the socket is closed with 1008. */
export const maxMessagesPerSecond = 50;
const tooMany = `more than ${maxMessagesPerSecond} messages a second`;
/** Unsent bytes after which a client that does not read is cut off. */
const maxBufferedBytes = 4 * 1024 * 1024;
/** Clients send PING every 15 s; one that is silent for three times that is gone. */
const silenceMs = 45_000;

/** How long a client has to read what is left and to answer the close; ws alone would wait for 30 s. */
const closeGraceMs = 2000;

/** What the events endpoint needs. */
export interface EventsOptions {
  stages: LiveStages;
  tokens: TokenAuthority;
  log: Log;
}

/**
 * The events WebSocket under /events: the token is the subprotocol, STAGE_STATE comes at once and at each change. A refusal is
 * told in a JOIN_ERROR message after the upgrade, for a browser learns nothing from a refused one and would try for ever.
 */
export function registerEvents(server: Server, options: EventsOptions): { close(): void } {
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    handleProtocols: (protocols) => protocols.values().next().value ?? false,
  });
  // Whoever can connect can be refused, as often as it likes.
  const refusals = new LogBudget((fields, message) => options.log.info(fields, message));
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!/^\/events(?:[/?]|$)/.test(request.url ?? '')) {
      refuseUpgrade(socket);
      return;
    }
    webSockets.handleUpgrade(
      request,
      socket,
      head,
      (webSocket) => void serve(webSocket, request, { ...options, refusals }),
    );
  };
  server.on('upgrade', onUpgrade);
  return {
    close() {
      server.off('upgrade', onUpgrade);
      refusals.stop();
    },
  };
}

/** Node.js listens no longer to a socket that it has given away: an error that nobody takes would end the process. */
function refuseUpgrade(socket: Duplex): void {
  socket.on('error', () => {});
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
}

type Serving = EventsOptions & { refusals: LogBudget };

async function serve(webSocket: WebSocket, request: IncomingMessage, options: Serving): Promise<void> {
  webSocket.pause();
  webSocket.on('error', (error) => options.log.debug({ err: error }, 'events socket failed'));
  try {
    const token = webSocket.protocol || undefined;
    const client = await authenticate(token, request.headers, options);
    requireTopic(request.url ?? '', client.identity.claims.topic);
    if (webSocket.readyState === WebSocket.OPEN) await attend(webSocket, client, options);
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal.code === 'INTERNAL') options.log.error({ err: error }, 'events socket failed');
    options.refusals.say({ code: refusal.code }, 'join refused');
    webSocket.resume();
    finish(webSocket, closeCode.normal, joinError(refusal));
  }
}

/** Connects the socket with its stage until it closes. */
async function attend(webSocket: WebSocket, client: Authenticated, options: Serving): Promise<void> {
  const { identity, stage } = client;
  const id = identity.claims.jti;
  const socket: EventsSocket = {
    send: (frame) => send(webSocket, frame),
    close: (code, last) => finish(webSocket, code, last),
  };
  const guard = new Guard(webSocket);
  const exchanger = new Exchanger(client, options);
  webSocket.on('close', (code) => {
    guard.stop();
    stage.leave(id, socket, isDeliberate(code));
  });
  webSocket.on('message', (data, isBinary) => {
    if (webSocket.readyState !== WebSocket.OPEN) return;
    if (!guard.admits()) {
      options.refusals.say({ stage: stage.id, participant: id }, `events socket sent ${tooMany}`);
      closeInTime(webSocket, closeCode.policyViolation, tooMany);
      return;
    }
    const message = isBinary ? undefined : parseClientMessage(text(data));
    if (message?.type === 'PING') send(webSocket, '{"type":"PONG"}');
    if (message?.type === 'SET_STATE') stage.setState(id, message);
    if (message?.type === 'aws:ivs:EXCHANGE_TOKEN') {
      void exchanger.exchange(message.payload).then((reply) => send(webSocket, JSON.stringify(reply)));
    }
  });
  stage.join(identity, socket);
  webSocket.resume();
  await stage.flushed();
  send(webSocket, stage.snapshot());
  const speakers = stage.speakersFrame();
  if (speakers !== undefined) send(webSocket, speakers);
}

type ExchangeRequest = Extract<ClientMessage, { type: 'aws:ivs:EXCHANGE_TOKEN' }>['payload'];

/** The token of one socket's participant as it is exchanged, one exchange after the other. */
class Exchanger {
  private readonly client: Authenticated;
  private readonly options: EventsOptions;
  private current: VerifiedToken;
  private last: Promise<unknown> = Promise.resolve();

  constructor(client: Authenticated, options: EventsOptions) {
    this.client = client;
    this.options = options;
    this.current = client.verified;
  }

  /** The answer to the client: `code` and `message` are in it when the exchange was refused. */
  exchange(request: ExchangeRequest): Promise<ServerMessage> {
    const answer = this.last.then(() => this.take(request));
    this.last = answer;
    return answer;
  }

  private async take({ requestId, ...tokens }: ExchangeRequest): Promise<ServerMessage> {
    const { identity, stage } = this.client;
    try {
      this.current = await exchange(this.options.tokens, this.current, tokens);
      stage.exchangeToken(identity.claims.jti, { ...identity, claims: this.current.claims });
      await stage.flushed();
      return { type: 'aws:ivs:EXCHANGE_TOKEN', payload: { requestId } };
    } catch (error) {
      const refusal = toRefusal(error);
      if (refusal.code === 'INTERNAL') this.options.log.error({ err: error }, 'token exchange failed');
      return { type: 'aws:ivs:EXCHANGE_TOKEN', payload: { requestId, code: refusal.code, message: refusal.message } };
    }
  }
}

/** Bounds what one socket may send, and ends one that has gone silent. */
class Guard {
  private readonly webSocket: WebSocket;
  private readonly timer: NodeJS.Timeout;
  private lastHeard = Date.now();
  private windowStart = 0;
  private inWindow = 0;

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    webSocket.on('pong', () => {
      this.lastHeard = Date.now();
    });
    this.timer = setInterval(() => this.check(), silenceMs / 3);
  }

  /** Counts a message; false when it is one too many in its second. */
  admits(): boolean {
    const now = Date.now();
    this.lastHeard = now;
    if (now - this.windowStart >= 1000) {
      this.windowStart = now;
      this.inWindow = 0;
    }
    this.inWindow += 1;
    return this.inWindow <= maxMessagesPerSecond;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private check(): void {
    if (Date.now() - this.lastHeard > silenceMs) this.webSocket.terminate();
    else this.webSocket.ping();
  }
}

/** A page that leaves closes without a code (1005), with 1000 or, when it is unloaded, 1001; a lost one shows 1006. */
const isDeliberate = (code: number): boolean => code === 1005 || code === 1000 || code === 1001;

function requireTopic(url: string, topic: string): void {
  const { pathname, searchParams } = new URL(url, 'ws://localhost');
  const asked = searchParams.get('topic') ?? pathname.slice('/events/'.length);
  const stage = asked.replace(/\/publishers$/, '');
  if (stage === '' || stage === topic) return;
  throw new Refusal('TOKEN_WRONG_STAGE', `The token is for stage ${topic}, not for ${stage.slice(0, 64)}.`);
}

function joinError(refusal: Refusal): ServerMessage {
  return { type: 'aws:ivs:JOIN_ERROR', payload: { code: joinErrorCode(refusal.code), message: refusal.message } };
}

/** Clients know four codes; the message tells the others apart. */
function joinErrorCode(code: RefusalCode): string {
  return code.startsWith('TOKEN_') && code !== 'TOKEN_EXPIRED' ? 'TOKEN_INVALID' : code;
}

function send(webSocket: WebSocket, frame: string | Buffer): void {
  if (webSocket.readyState !== WebSocket.OPEN) return;
  if (webSocket.bufferedAmount > maxBufferedBytes) webSocket.terminate();
  else webSocket.send(frame, { binary: false });
}

function finish(webSocket: WebSocket, code: number, last?: ServerMessage): void {
  if (last !== undefined) send(webSocket, JSON.stringify(last));
  closeInTime(webSocket, code);
}

/** Closes, and cuts off who does not answer. */
function closeInTime(webSocket: WebSocket, code: number, reason?: string): void {
  webSocket.close(code, reason);
  setTimeout(() => webSocket.terminate(), closeGraceMs).unref();
}

function text(data: RawData): string {
  return Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data as Buffer).toString();
}
