// A stage over the wire that IVS clients speak: the events WebSocket, and one WHIP exchange for each peer connection.

import { iceServersOf, linkTo, parseLinks } from './links.ts';
import type { Token } from './token.ts';
import { codeOfStatus } from './words.ts';

/** One participant as the events socket describes it. */
export interface Participant {
  id: string;
  userId: string;
  attributes: Record<string, string>;
  isPublishing: boolean;
  audioMuted: boolean;
  videoStopped: boolean;
}

/** What a participant tells the others about its media. */
export interface MediaState {
  audioMuted: boolean;
  videoStopped: boolean;
}

/** `connected` only after the first STAGE_STATE; `ended` is final. */
export type EventsStatus = 'connecting' | 'connected' | 'reconnecting' | 'ended';

/** What an events socket reports. */
export interface EventsHandlers {
  onParticipants(participants: readonly Participant[]): void;
  onStatus(status: EventsStatus): void;
  /** Ids of those who speak, the loudest first. */
  onSpeakers?(participantIds: readonly string[]): void;
  /** The server ended what this client published, for good. */
  onPublicationEnded?(code: string, message: string): void;
  /** The stage wants this client no more; the socket does not come back. */
  onEnded(code: string, message: string): void;
}

const pingInterval = 15_000;
/** Silence after which the connection counts as lost: three PINGs without a PONG. */
const silenceLimit = 45_000;
const exchangeTimeout = 10_000;

/** Milliseconds before attempt n = 1, 2, …: from 0.5 s doubling to 10 s, a quarter of it by chance. */
export function backOff(attempt: number, random: () => number = Math.random): number {
  return Math.min(500 * 2 ** (attempt - 1), 10_000) * (0.75 + random() / 4);
}

/** `<events_url>?error_over_ws=1&topic=<topic>/publishers&traceid=1-<8 hex>-<24 hex>` */
export function eventsAddress(token: Token): string {
  const trace = `1-${randomHex(8)}-${randomHex(24)}`;
  return `${token.eventsUrl}?error_over_ws=1&topic=${token.topic}/publishers&traceid=${trace}`;
}

function randomHex(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length / 2));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The events socket: connects at once, keeps itself alive, comes back until it is closed or refused. */
export class StageEvents {
  readonly #token: Token;
  readonly #handlers: EventsHandlers;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  #attempt = 0;
  #sequenceNumber = 0;
  #lastHeard = 0;
  #state: MediaState | undefined;
  #ended = false;

  constructor(token: Token, handlers: EventsHandlers) {
    this.#token = token;
    this.#handlers = handlers;
    handlers.onStatus('connecting');
    this.#connect();
  }

  /** Tells the others; told again whenever the socket comes back. */
  setState(state: MediaState): void {
    this.#state = state;
    this.#sendState();
  }

  /** Leaves the stage: a close without a code. */
  close(): void {
    this.#end();
    this.#socket?.close();
  }

  #connect(): void {
    const socket = new WebSocket(eventsAddress(this.#token), this.#token.jwt);
    this.#socket = socket;
    this.#sequenceNumber = 0;
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#receive(String(data));
    socket.onclose = () => this.#lost();
  }

  #opened(): void {
    this.#lastHeard = Date.now();
    this.#ping = setInterval(() => this.#keepAlive(), pingInterval);
    this.#sendState();
  }

  #keepAlive(): void {
    if (Date.now() - this.#lastHeard > silenceLimit) this.#socket?.close();
    else this.#send({ type: 'PING' });
  }

  #receive(text: string): void {
    this.#lastHeard = Date.now();
    const message = parseMessage(text);
    if (message?.type === 'STAGE_STATE') this.#showState(message.payload);
    if (message?.type === 'footlights:ACTIVE_SPEAKERS') this.#showSpeakers(message.payload);
    if (message?.type === 'footlights:CONNECTION_ENDED' && message.payload.role === 'publish') {
      this.#handlers.onPublicationEnded?.(String(message.payload.code), String(message.payload.message));
    }
    if (message?.type === 'aws:ivs:DISCONNECT' || message?.type === 'aws:ivs:JOIN_ERROR') {
      const { code = 'INTERNAL', message: reason = '' } = message.payload;
      this.#end();
      this.#handlers.onStatus('ended');
      this.#handlers.onEnded(String(code), String(reason));
      this.#socket?.close();
    }
  }

  /** A snapshot counts only when its number is higher than the last one's on this connection. */
  #showState(payload: Record<string, unknown>): void {
    const { sequenceNumber, participants } = payload;
    if (typeof sequenceNumber !== 'number' || sequenceNumber <= this.#sequenceNumber) return;
    this.#sequenceNumber = sequenceNumber;
    this.#attempt = 0;
    this.#handlers.onStatus('connected');
    this.#handlers.onParticipants(Array.isArray(participants) ? participants : []);
  }

  #showSpeakers({ speakers }: Record<string, unknown>): void {
    if (Array.isArray(speakers))
      this.#handlers.onSpeakers?.(speakers.map(({ participantId }) => String(participantId)));
  }

  #lost(): void {
    clearInterval(this.#ping);
    if (this.#ended) return;
    this.#handlers.onSpeakers?.([]);
    this.#attempt += 1;
    this.#handlers.onStatus('reconnecting');
    this.#timer = setTimeout(() => this.#connect(), backOff(this.#attempt));
  }

  #end(): void {
    this.#ended = true;
    clearInterval(this.#ping);
    clearTimeout(this.#timer);
  }

  #sendState(): void {
    if (this.#state) this.#send({ type: 'SET_STATE', version: '0', ...this.#state });
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

function parseMessage(text: string): { type: string; payload: Record<string, unknown> } | undefined {
  try {
    const { type, payload } = JSON.parse(text);
    return { type: String(type), payload: typeof payload === 'object' && payload !== null ? payload : {} };
  } catch {
    return undefined;
  }
}

/** The server refused an offer, or could not be reached. `retry`: the same offer may be taken later. */
export class ExchangeError extends Error {
  readonly code: string;
  readonly retry: boolean;

  constructor(code: string, message: string, retry: boolean) {
    super(message);
    this.code = code;
    this.retry = retry;
  }
}

/** One peer connection, agreed on by a WHIP exchange. */
export interface Exchange {
  readonly connection: RTCPeerConnection;
  /** Where the layers of a subscription are, when there are several. */
  readonly layersUrl: string | undefined;
  /** Ends both sides. */
  close(): void;
}

/** Publishes what has been added to the connection. */
export const publish = (token: Token, connection: RTCPeerConnection): Promise<Exchange> =>
  exchange(token, `/publish/${token.participantId}`, connection);

/** Receives audio and video of one participant. */
export function subscribe(token: Token, participantId: string, connection: RTCPeerConnection): Promise<Exchange> {
  connection.addTransceiver('audio', { direction: 'recvonly' });
  connection.addTransceiver('video', { direction: 'recvonly' });
  return exchange(token, `/subscribe/${encodeURIComponent(participantId)}`, connection);
}

/** The offer leaves without candidates: the server learns ours from the checks that follow its answer. */
async function exchange(token: Token, path: string, connection: RTCPeerConnection): Promise<Exchange> {
  try {
    await connection.setLocalDescription();
    const offer = connection.localDescription?.sdp ?? '';
    const { answer, location, layersUrl } = await post(token, `${token.whipUrl}${path}`, offer);
    const end = () => endSession(token, location);
    await accept(connection, answer, end);
    return {
      connection,
      layersUrl,
      close: () => {
        connection.close();
        end();
      },
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function accept(connection: RTCPeerConnection, answer: string, end: () => void): Promise<void> {
  try {
    await connection.setRemoteDescription({ type: 'answer', sdp: answer });
  } catch (error) {
    end();
    if (connection.signalingState === 'closed')
      throw new ExchangeError('CLOSED', 'closed while the answer came', false);
    throw new ExchangeError('MEDIA_FAILED', String(error), true);
  }
}

interface Answer {
  answer: string;
  location: string | null;
  layersUrl: string | undefined;
}

async function post(token: Token, url: string, offer: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${token.jwt}`, 'content-type': 'application/sdp' };
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', headers, body: offer, signal: AbortSignal.timeout(exchangeTimeout) });
  } catch (error) {
    throw new ExchangeError('UNREACHABLE', String(error), true);
  }
  if (!response.ok) throw await readRefusal(response);
  return {
    answer: await response.text(),
    location: response.headers.get('location'),
    layersUrl: linkTo(parseLinks(response.headers.get('link')), 'urn:ietf:params:whep:ext:core:layer'),
  };
}

/** Credentials for TURN servers are good for a minute at least. */
const iceServersLifetime = 50_000;
let iceServers: { of: string; until: number; found: Promise<RTCIceServer[]> } | undefined;

/** Asks for the ICE servers before the first connection needs them. */
export function prepareConnections(token: Token): void {
  void knownIceServers(token);
}

/** A connection that knows the server's STUN and TURN servers: they must be known before the offer is made. */
export async function createConnection(token: Token): Promise<RTCPeerConnection> {
  return new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers: await knownIceServers(token) });
}

function knownIceServers(token: Token): Promise<RTCIceServer[]> {
  const now = performance.now();
  if (iceServers?.of !== token.jwt || iceServers.until < now) {
    iceServers = { of: token.jwt, until: now + iceServersLifetime, found: askIceServers(token) };
  }
  return iceServers.found;
}

/** None when the server does not say: most connections need none, and the offer will tell what is wrong. */
async function askIceServers(token: Token): Promise<RTCIceServer[]> {
  try {
    const response = await fetch(token.whipUrl, {
      method: 'OPTIONS',
      headers: { authorization: `Bearer ${token.jwt}` },
      signal: AbortSignal.timeout(exchangeTimeout),
    });
    return iceServersOf(parseLinks(response.headers.get('link')));
  } catch {
    return [];
  }
}

/** The layers of a subscription that are being sent, the lowest first. */
export interface Layers {
  /** False while the viewer has chosen one. */
  automatic: boolean;
  /** `bitrate` is in kbit/s; sizes are 0 until they are known. */
  layers: { encodingId: string; bitrate: number; width: number; height: number; selected: boolean }[];
}

/** Undefined when they cannot be had now. */
export const readLayers = (token: Token, url: string): Promise<Layers | undefined> => askLayers(token, url, {});

/** Chooses a layer; an empty id leaves the choice to the server. Undefined when it was refused, as one that is gone is. */
export function chooseLayer(token: Token, url: string, encodingId: string): Promise<Layers | undefined> {
  const body = JSON.stringify(encodingId === '' ? {} : { encodingId });
  return askLayers(token, url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

async function askLayers(token: Token, url: string, request: RequestInit): Promise<Layers | undefined> {
  const headers = { ...request.headers, authorization: `Bearer ${token.jwt}` };
  try {
    const response = await fetch(url, { ...request, headers, signal: AbortSignal.timeout(exchangeTimeout) });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

/** Refusals are final, but for those that pass: too many requests, a failing server, a publisher that is just coming. */
async function readRefusal(response: Response): Promise<ExchangeError> {
  const body = await response.json().catch(() => ({}));
  const code = typeof body.code === 'string' ? body.code : codeOfStatus(response.status);
  const message = typeof body.message === 'string' ? body.message : '';
  const retry = response.status === 429 || response.status >= 500 || code === 'PUBLISHER_NOT_FOUND';
  return new ExchangeError(code, message, retry);
}

/** `keepalive` lets the request outlive a page that is being closed. */
function endSession(token: Token, location: string | null): void {
  if (location === null) return;
  const headers = { authorization: `Bearer ${token.jwt}` };
  void fetch(location, { method: 'DELETE', headers, keepalive: true }).catch(() => undefined);
}

/** What the statistics of one direction add up to, since the last look. Loss and rates are of that interval. */
export interface MediaFigures {
  bitrateKbps: number;
  width: number | undefined;
  height: number | undefined;
  framesPerSecond: number | undefined;
  framesDecoded: number;
  audioEnergy: number;
  lossPercent: number;
  roundTripMs: number | undefined;
  codec: string | undefined;
  /** RIDs of the simulcast layers that are being sent, the smallest picture first. */
  layers: string[];
}

interface Totals {
  time: number;
  bytes: number;
  packets: number;
  lost: number;
}

/** Reads one connection's statistics again and again; `direction` is the one that carries media. */
export class StatisticsReader {
  readonly #connection: RTCPeerConnection;
  readonly #direction: 'inbound-rtp' | 'outbound-rtp';
  #last: Totals | undefined;

  constructor(connection: RTCPeerConnection, direction: 'inbound-rtp' | 'outbound-rtp') {
    this.#connection = connection;
    this.#direction = direction;
  }

  async read(): Promise<MediaFigures> {
    const entries: Statistics[] = [];
    for (const entry of (await this.#connection.getStats()).values()) entries.push(entry);
    const streams = entries.filter((entry) => entry.type === this.#direction);
    const pictures = streams
      .filter((entry) => entry.kind === 'video')
      .sort((a, b) => (a.frameWidth ?? 0) - (b.frameWidth ?? 0));
    const sent = pictures.filter((entry) => (entry.framesPerSecond ?? 0) > 0);
    // Of several layers the largest picture is described.
    const video = sent.at(-1) ?? pictures.at(-1);
    const totals = addUp(entries, streams);
    const figures = { ...rates(totals, this.#last), ...describeVideo(entries, video) };
    this.#last = totals;
    return {
      ...figures,
      framesDecoded: video?.framesDecoded ?? 0,
      audioEnergy: streams.find((entry) => entry.kind === 'audio')?.totalAudioEnergy ?? 0,
      roundTripMs: roundTrip(entries),
      layers: sent.flatMap(({ rid }) => (rid === undefined ? [] : [rid])),
    };
  }
}

/** The members of RTCStats entries that are read here (W3C webrtc-stats). */
interface Statistics {
  id: string;
  type: string;
  kind?: string;
  bytesSent?: number;
  bytesReceived?: number;
  packetsSent?: number;
  packetsReceived?: number;
  packetsLost?: number;
  rid?: string;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
  framesDecoded?: number;
  totalAudioEnergy?: number;
  codecId?: string;
  mimeType?: string;
  nominated?: boolean;
  currentRoundTripTime?: number;
}

const sum = (entries: readonly Statistics[], of: (entry: Statistics) => number | undefined): number =>
  entries.reduce((total, entry) => total + (of(entry) ?? 0), 0);

/** What was sent is lost by what the other side reports; what was received, by what is missing here. */
function addUp(entries: readonly Statistics[], streams: readonly Statistics[]): Totals {
  const judged = streams.some((entry) => entry.type === 'outbound-rtp')
    ? entries.filter((entry) => entry.type === 'remote-inbound-rtp')
    : streams;
  return {
    time: performance.now(),
    bytes: sum(streams, (entry) => entry.bytesSent ?? entry.bytesReceived),
    packets: sum(streams, (entry) => entry.packetsSent ?? entry.packetsReceived),
    lost: sum(judged, (entry) => entry.packetsLost),
  };
}

function rates(now: Totals, last: Totals | undefined): { bitrateKbps: number; lossPercent: number } {
  if (last === undefined) return { bitrateKbps: 0, lossPercent: 0 };
  const lost = Math.max(0, now.lost - last.lost);
  const all = Math.max(1, now.packets - last.packets + lost);
  return {
    bitrateKbps: Math.round(((now.bytes - last.bytes) * 8) / Math.max(1, now.time - last.time)),
    lossPercent: Math.min(100, (lost / all) * 100),
  };
}

function describeVideo(entries: readonly Statistics[], video: Statistics | undefined) {
  const codec = entries.find((entry) => entry.type === 'codec' && entry.id === video?.codecId)?.mimeType;
  return {
    width: video?.frameWidth,
    height: video?.frameHeight,
    framesPerSecond: video?.framesPerSecond,
    codec: codec?.replace('video/', ''),
  };
}

function roundTrip(entries: readonly Statistics[]): number | undefined {
  const pair = entries.find((entry) => entry.type === 'candidate-pair' && entry.nominated);
  return pair?.currentRoundTripTime === undefined ? undefined : Math.round(pair.currentRoundTripTime * 1000);
}

/** `1280×720 · 30 fps · 2.1 Mbit/s · loss 0.0 %` and, where known, round trip, codec and layers. */
export function describeFigures(figures: MediaFigures): string {
  const { width, height, framesPerSecond, bitrateKbps, lossPercent, roundTripMs, codec, layers } = figures;
  return [
    width && height ? `${width}×${height}` : 'audio only',
    framesPerSecond === undefined ? '' : `${Math.round(framesPerSecond)} fps`,
    bitrateKbps >= 1000 ? `${(bitrateKbps / 1000).toFixed(1)} Mbit/s` : `${bitrateKbps} kbit/s`,
    `loss ${lossPercent.toFixed(1)} %`,
    roundTripMs === undefined ? '' : `RTT ${roundTripMs} ms`,
    codec ?? '',
    layers.join(' '),
  ]
    .filter(Boolean)
    .join(' · ');
}
