import { type Accepted, type AcceptRequest, checkTrickle, iceUfrag, type Media } from '@footlights/media';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IceServers } from '../ice-servers.ts';
import type { Log } from '../log.ts';
import { authenticate, bearerToken } from './authenticate.ts';
import { chooseLayer, layersRelation, readJson, readLayers } from './layers.ts';
import type { LiveStage } from './live-stage.ts';
import type { LiveStages } from './live-stages.ts';
import type { Connection, MediaSource } from './participant.ts';
import { Refusal, refusalOfOffer, toRefusal } from './refusal.ts';
import type { TokenAuthority } from './tokens.ts';

/** Largest SDP body, in bytes; Chromium's offers have about 8 KiB. */
export const maxBodyBytes = 64 * 1024;

/** Offers that one participant may make in a second: each costs a media worker some 2 ms and, when refused, an event. */
export const maxOffersPerSecond = 50;

/** Times a second that one participant may ask for layers or choose one; clients ask every 3 s for each that they receive. */
export const maxLayerRequestsPerSecond = 50;

/** What the WHIP endpoint needs. */
export interface WhipOptions {
  media: Media;
  stages: LiveStages;
  tokens: TokenAuthority;
  iceServers: IceServers;
  log: Log;
  /** Public URL of the endpoint, without a slash at the end. */
  whipUrl(): string;
}

/** An answered offer that has not ended: the WHIP session of RFC 9725 section 4.2. */
interface Session {
  connection: Connection;
  stage: LiveStage;
  etag: string;
  /** Of the offer. */
  iceUfrag: string | undefined;
}

/** An offer, whose it is, and what it asks to receive. */
interface Asked {
  connection: Connection;
  offer: string;
  source?: MediaSource;
  initialLayer?: AcceptRequest['initialLayer'];
}

type Params = { Params: { participantId?: string; sessionId?: string } };

/**
 * WHIP (RFC 9725) under /whip: POST /whip and /whip/publish/<own id> publish, POST /whip/subscribe/<id> receives one
 * publisher, PATCH and DELETE act on the session that the Location header names; below it are the layers of a subscription
 * (GET, POST, DELETE). Refusals are JSON `{code, message}`.
 */
export async function registerWhip(app: FastifyInstance, options: WhipOptions): Promise<void> {
  const whip = new Whip(options);
  await app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, (_request, body, done) =>
      done(null, body),
    );
    scope.addHook('onRequest', async (request, reply) => allowCrossOrigin(request, reply));
    scope.setErrorHandler((error, _request, reply) => writeRefusal(reply, error, options.log));
    for (const url of ['/whip', '/whip/publish/:participantId']) {
      resource(scope, url, { POST: whip.publish, OPTIONS: whip.describe });
    }
    resource(scope, '/whip/subscribe/:participantId', { POST: whip.subscribe, OPTIONS: whip.describe });
    resource(scope, '/whip/sessions/:sessionId', { PATCH: whip.trickle, DELETE: whip.end, OPTIONS: describeSession });
    resource(scope, '/whip/sessions/:sessionId/layers', {
      GET: whip.layers,
      POST: whip.chooseLayer,
      DELETE: whip.chooseNoLayer,
      OPTIONS: describeLayers,
    });
    scope.all('/whip/*', async () => {
      throw new Refusal('RESOURCE_NOT_FOUND', 'There is nothing at this URL.');
    });
    done();
  });
}

/** The sessions of all clients, and what each request does to them. */
class Whip {
  private readonly sessions = new Map<string, Session>();
  private readonly offers = new RequestCounts('offers', maxOffersPerSecond);
  private readonly layerRequests = new RequestCounts('requests for layers', maxLayerRequestsPerSecond);
  private readonly options: WhipOptions;

  constructor(options: WhipOptions) {
    this.options = options;
    options.media.on((event) => {
      if (event.type === 'closed') this.sessions.delete(event.connectionId);
    });
  }

  readonly publish: Handler = async (request, reply) => {
    const { identity, stage } = await this.authenticate(request);
    this.offers.admit(stage.id, identity.claims.jti);
    const offer = readSdp(request, 'application/sdp');
    requireOwnId(request.params.participantId, identity.claims.jti);
    return this.answer(reply, stage, { connection: stage.admitPublish(identity), offer });
  };

  readonly subscribe: Handler = async (request, reply) => {
    const { identity, stage } = await this.authenticate(request);
    this.offers.admit(stage.id, identity.claims.jti);
    const offer = readSdp(request, 'application/sdp');
    const { connection, source } = stage.admitSubscribe(identity, request.params.participantId ?? '');
    const initialLayer = initialLayerOf(request.headers['x-stages-initial-layer-pref']);
    return this.answer(reply, stage, { connection, offer, source, initialLayer });
  };

  /**
   * RFC 9725 section 4.1: what may be posted, for clients that ask before; with the ICE servers for those that must know them
   * before they make an offer (section 4.6). Who shows a token is told of TURN servers too.
   */
  readonly describe: Handler = async (request, reply) => {
    const { iceServers } = this.options;
    const isPreflight = request.headers['access-control-request-method'] !== undefined;
    const token = bearerToken(request.headers);
    const links = async () => {
      if (token === undefined) return iceServers.publicLinks();
      return iceServers.linksFor((await this.authenticate(request)).identity.claims.jti);
    };
    const headers = { ...accepts, ...(isPreflight ? {} : linkHeaders(await links())) };
    return reply.code(204).headers(headers).send();
  };

  readonly layers: Handler = async (request, reply) =>
    reply.send(await readLayers(this.options.media, await this.ownSubscription(request)));

  readonly chooseLayer: Handler = async (request, reply) => {
    const id = await this.ownSubscription(request);
    return reply.send(await chooseLayer(this.options.media, id, readJson(request)));
  };

  readonly chooseNoLayer: Handler = async (request, reply) =>
    reply.send(await chooseLayer(this.options.media, await this.ownSubscription(request), {}));

  readonly end: Handler = async (request, reply) => {
    const { connection, stage } = await this.ownSession(request);
    this.options.media.close(connection.id);
    this.sessions.delete(connection.id);
    stage.closed(connection.id);
    await stage.flushed();
    return reply.code(200).send();
  };

  readonly trickle: Handler = async (request, reply) => {
    const session = await this.ownSession(request);
    const fragment = readSdp(request, 'application/trickle-ice-sdpfrag');
    const ifMatch = request.headers['if-match'];
    if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== session.etag) {
      throw new Refusal(
        'PRECONDITION_FAILED',
        `If-Match is ${ifMatch.slice(0, 64)}, the session's ETag is ${session.etag}.`,
      );
    }
    checkTrickle(session.iceUfrag, fragment);
    return reply.code(204).send();
  };

  private authenticate(request: FastifyRequest) {
    return authenticate(bearerToken(request.headers), request.headers, this.options);
  }

  private async answer(reply: FastifyReply, stage: LiveStage, asked: Asked) {
    const { connection, offer } = asked;
    const connectionId = connection.id;
    const session = { connection, stage, etag: `"${connectionId}"`, iceUfrag: iceUfrag(offer) };
    this.options.stages.watch(connectionId, stage);
    this.sessions.set(connectionId, session);
    const accepted = await this.accept(stage, asked);
    if (!stage.answered(connection)) {
      throw new Refusal('CONNECTION_CLOSED', 'The connection was ended while its offer was being answered.');
    }
    const location = `${this.options.whipUrl()}/sessions/${connectionId}`;
    const links = this.options.iceServers.linksFor(connection.participantId);
    if (connection.role === 'subscribe' && accepted.layered)
      links.push(`<${location}/layers>; rel="${layersRelation}"`);
    const headers = { location, etag: session.etag, ...linkHeaders(links) };
    return reply.code(201).headers(headers).type('application/sdp').send(accepted.answer);
  }

  /** Hands the offer to the media worker; gives the connection's place back when it is refused. */
  private async accept(stage: LiveStage, { connection, offer, source, initialLayer }: Asked): Promise<Accepted> {
    const { id: connectionId, participantId, role } = connection;
    try {
      return await this.options.media.accept({
        stageId: source?.stageId ?? stage.id,
        connectionId,
        participantId,
        role,
        offer,
        publisherConnectionId: source?.connectionId,
        initialLayer,
      });
    } catch (error) {
      this.sessions.delete(connectionId);
      this.options.stages.unwatch(connectionId);
      const refusal = refusalOfOffer(error, offer);
      stage.abandon(connection, refusal);
      throw refusal.code === 'INTERNAL' ? error : refusal;
    }
  }

  /** The session of the URL, when the token is the one of its participant. */
  private async ownSession(request: FastifyRequest<Params>): Promise<Session> {
    const { identity } = await this.authenticate(request);
    const session = this.sessions.get(request.params.sessionId ?? '');
    if (session === undefined) throw new Refusal('RESOURCE_NOT_FOUND', 'There is no such session, or it has ended.');
    requireOwnId(session.connection.participantId, identity.claims.jti);
    return session;
  }

  /** The connection that receives, of the URL's session. */
  private async ownSubscription(request: FastifyRequest<Params>): Promise<string> {
    const { connection, stage } = await this.ownSession(request);
    this.layerRequests.admit(stage.id, connection.participantId);
    if (connection.role === 'subscribe') return connection.id;
    throw new Refusal('LAYER_NOT_FOUND', 'This session publishes: layers are chosen by those who receive it.');
  }
}

/** How many requests of one kind each participant has made in this second. */
class RequestCounts {
  private readonly kind: string;
  private readonly limit: number;
  private readonly counts = new Map<string, number>();
  private startedAt = 0;

  constructor(kind: string, limit: number) {
    this.kind = kind;
    this.limit = limit;
  }

  /** Counts one; throws a Refusal when it is one too many. */
  admit(stageId: string, participantId: string): void {
    const now = performance.now();
    if (now - this.startedAt >= 1000) {
      this.startedAt = now;
      this.counts.clear();
    }
    const key = `${stageId}/${participantId}`;
    const count = (this.counts.get(key) ?? 0) + 1;
    if (count > this.limit) {
      const message = `The participant makes more than ${this.limit} ${this.kind} a second; try again in a second.`;
      throw new Refusal('TOO_MANY_REQUESTS', message);
    }
    this.counts.set(key, count);
  }
}

const accepts = { 'accept-post': 'application/sdp', 'accept-patch': 'application/trickle-ice-sdpfrag' };

async function describeSession(_request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  return reply.code(204).headers(accepts).send();
}

async function describeLayers(_request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  return reply.code(204).header('accept-post', 'application/json').send();
}

/** Each link is a header of its own. */
const linkHeaders = (links: string[]): { link?: string[] } => (links.length > 0 ? { link: links } : {});

/** Other values than these two are those of later clients, and no wish. */
function initialLayerOf(preference: string | string[] | undefined): 'lowest' | 'highest' | undefined {
  return preference === 'lowest' || preference === 'highest' ? preference : undefined;
}

type Handler = (request: FastifyRequest<Params>, reply: FastifyReply) => Promise<unknown>;

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Routes a URL's methods; the others are answered with 405 and the list of those (RFC 9110 section 15.5.6). */
function resource(
  app: FastifyInstance,
  url: string,
  handlers: Partial<Record<(typeof methods)[number], Handler>>,
): void {
  const allow = Object.keys(handlers).join(', ');
  for (const method of methods) {
    const handler: Handler =
      handlers[method] ??
      (async (request, reply) => {
        void reply.header('allow', allow);
        throw new Refusal('METHOD_NOT_ALLOWED', `${request.method} is not for this URL; it takes ${allow}.`);
      });
    app.route<Params>({ method, url, handler, exposeHeadRoute: false });
  }
}

/** Any page may call: the token is what counts, and no cookie is read. */
function allowCrossOrigin(request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers({
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Location, Link, ETag, Accept-Post, Accept-Patch',
  });
  if (request.method !== 'OPTIONS') return;
  void reply.headers({
    'access-control-allow-methods': 'GET, POST, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers': String(
      request.headers['access-control-request-headers'] ?? 'authorization, content-type, if-match',
    ),
    'access-control-max-age': '86400',
  });
}

function requireOwnId(id: string | undefined, own: string): void {
  if (id === undefined || id === own) return;
  throw new Refusal('TOKEN_WRONG_PARTICIPANT', `The token is of participant ${own}, not of ${id.slice(0, 64)}.`);
}

function readSdp(request: FastifyRequest, mediaType: string): string {
  const given = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (given !== mediaType) {
    throw new Refusal(
      'UNSUPPORTED_MEDIA_TYPE',
      `Content-Type is ${given?.slice(0, 64) ?? 'missing'}; it must be ${mediaType}.`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode((request.body as Buffer | undefined) ?? Buffer.alloc(0));
  } catch {
    throw new Refusal(mediaType === 'application/sdp' ? 'INVALID_OFFER' : 'INVALID_FRAGMENT', 'The body is not UTF-8.');
  }
}

/** The only writer of refusals over HTTP. */
function writeRefusal(reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  const refusal = isTooLarge(error)
    ? new Refusal('BODY_TOO_LARGE', `The body has more than ${maxBodyBytes} bytes.`)
    : toRefusal(error);
  if (refusal.code === 'INTERNAL') log.error({ err: error }, 'WHIP request failed');
  if (refusal.status === 401) void reply.header('www-authenticate', 'Bearer');
  if (refusal.status === 503 || refusal.status === 429) void reply.header('retry-after', '1');
  return reply
    .code(refusal.status)
    .type('application/json')
    .send(JSON.stringify({ code: refusal.code, message: refusal.message }));
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE';
