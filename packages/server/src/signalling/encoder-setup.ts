import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Ingest } from './ingest.ts';
import { Refusal, toRefusal } from './refusal.ts';
import { type Canvas, simulcastLadder } from './simulcast-ladder.ts';

/** Largest body, in bytes; what OBS sends of its machine has about 2 KiB. */
export const maxSetupBytes = 64 * 1024;

/** The schema that is answered in; that of a request may be a later one, and has the same members and more. */
const schemaVersion = '2024-06-04';

/** Bits per second of a stream's audio: what AWS takes at most. */
const audioBps = 160_000;

/** What the endpoints need. */
export interface EncoderSetupOptions {
  ingest: Pick<Ingest, 'ownerOf'>;
  endpoints(): { rtmp?: string; rtmps?: string };
  limits: { maxPublishBitrate: number; maxPublishPixels: number };
}

/**
 * What broadcast software asks before it publishes (the IVS Broadcast Software Integration API): POST
 * /api/v3/GetClientConfiguration tells OBS which video tracks to make and where to send them, GET /api/v2/FindIngest where the
 * server is. OBS shows the text of an answer with HTTP status 200 alone, so that is the status of a refusal too.
 */
export function registerEncoderSetup(app: FastifyInstance, options: EncoderSetupOptions): void {
  // A scope of its own: what it says of bodies and errors holds for no other route.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxSetupBytes }, (_request, body, done) =>
      done(null, body),
    );
    scope.setErrorHandler((error, _request, reply) => refuseRequest(error, reply));
    scope.post('/api/v3/GetClientConfiguration', (request, reply) => getClientConfiguration(request, reply, options));
    scope.get('/api/v2/FindIngest', (_request, reply) => reply.send({ ingests: [ingestOf(options)] }));
    done();
  });
}

async function getClientConfiguration(request: FastifyRequest, reply: FastifyReply, options: EncoderSetupOptions) {
  try {
    const { authentication, ...wishes } = readWishes(request.body);
    const { configuration } = await options.ingest.ownerOf(authentication);
    const tracks = encoderConfigurations(wishes, options.limits);
    // OBS takes the first that fits its settings: the encrypted one, unless it is told otherwise.
    const protocols = configuration.ingestProtocol === 'RTMP' ? (['RTMPS', 'RTMP'] as const) : (['RTMPS'] as const);
    return await reply.send({
      meta: metaOf(),
      status: { result: 'success' },
      ingest_endpoints: protocols.map((protocol) => ({ protocol, url_template: urlTemplate(options, protocol) })),
      encoder_configurations: tracks,
      audio_configurations: {
        live: [{ codec: 'ffmpeg_aac', track_id: 1, channels: 2, settings: { bitrate: audioBps / 1000 } }],
      },
    });
  } catch (error) {
    const { code, message } = toRefusal(error);
    if (code === 'INTERNAL') throw error;
    return reply.send({ meta: metaOf(), status: { result: 'error', html_en_us: escapeHtml(message) } });
  }
}

/** The id ends up in the query of the stream key. */
const metaOf = () => ({ service: 'IVS', schema_version: schemaVersion, config_id: randomUUID() });

function urlTemplate({ endpoints }: EncoderSetupOptions, protocol: 'RTMP' | 'RTMPS'): string {
  const { rtmp = '', rtmps = '' } = endpoints();
  return `${protocol === 'RTMPS' ? rtmps : rtmp}{stream_key}`;
}

function ingestOf(options: EncoderSetupOptions) {
  return {
    ...{ _id: 1, availability: 1, default: true, name: 'Footlights', priority: 1 },
    url_template: urlTemplate(options, 'RTMP'),
    url_template_secure: urlTemplate(options, 'RTMPS'),
  };
}

/** What of a request counts. */
interface Wishes {
  canvas: Canvas;
  maximumVideoTracks: number | undefined;
  /** Bits per second, audio included. */
  maximumBps: number | undefined;
}

function encoderConfigurations(wishes: Wishes, { maxPublishBitrate, maxPublishPixels }: EncoderSetupOptions['limits']) {
  const { canvas, maximumVideoTracks: tracks, maximumBps = maxPublishBitrate } = wishes;
  const bps = Math.min(maximumBps, maxPublishBitrate) - audioBps;
  return simulcastLadder(canvas, { tracks, bps, pixels: maxPublishPixels }).map(({ width, height, bps }) => ({
    type: 'obs_x264',
    ...{ width, height, framerate: canvas.framerate },
    gpu_scale_type: 'OBS_SCALE_BICUBIC',
    settings: {
      ...{ rate_control: 'CBR', bitrate: Math.floor(bps / 1000), keyint_sec: 2, bf: 0 },
      ...{ profile: 'baseline', preset: 'veryfast', tune: 'zerolatency' },
      // Sliced threads, which that tune turns on, cost picture quality; key frames of all tracks fall together.
      x264opts: 'bframes=0 scenecut=0 sliced-threads=0',
    },
  }));
}

const invalid = (message: string): Refusal => new Refusal('INVALID_OFFER', message);

function readWishes(body: unknown): Wishes & { authentication: string } {
  const request = objectOf(parse(body), 'the body');
  const { authentication, client } = request;
  if (typeof authentication !== 'string' || authentication === '')
    throw invalid('authentication must be the stream key.');
  requireH264(client);
  const preferences = objectOf(request.preferences, 'preferences');
  const { canvases } = preferences;
  // Later versions of OBS list their canvases; the first is the main one.
  const canvas = Array.isArray(canvases) ? objectOf(canvases[0], 'preferences.canvases[0]') : preferences;
  const kbps = optionalNumber(preferences.maximum_aggregate_bitrate, 'preferences.maximum_aggregate_bitrate');
  return {
    authentication: authentication.split('?', 1)[0] ?? '',
    canvas: canvasOf(canvas),
    maximumVideoTracks: optionalNumber(preferences.maximum_video_tracks, 'preferences.maximum_video_tracks'),
    maximumBps: kbps && kbps * 1000,
  };
}

function parse(body: unknown): unknown {
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString() : '');
  } catch {
    throw invalid('The body is not JSON.');
  }
}

function requireH264(client: unknown): void {
  const codecs = client === undefined ? undefined : objectOf(client, 'client').supported_codecs;
  if (Array.isArray(codecs) && !codecs.includes('h264'))
    throw invalid('The software must be able to make H.264: client.supported_codecs has no h264.');
}

function canvasOf({ width, height, framerate }: Record<string, unknown>): Canvas {
  const { numerator, denominator } = objectOf(framerate, 'framerate');
  const canvas = {
    width: numberOf(width, 'width'),
    height: numberOf(height, 'height'),
    framerate: {
      numerator: numberOf(numerator, 'framerate.numerator'),
      denominator: numberOf(denominator, 'framerate.denominator'),
    },
  };
  if (canvas.framerate.numerator / canvas.framerate.denominator <= 240) return canvas;
  throw invalid('framerate must be at most 240 frames a second.');
}

function objectOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw invalid(`${name} must be an object.`);
}

/** Whole, above 0 and of a size that sums and products of some stay exact. */
function numberOf(value: unknown, name: string): number {
  if (Number.isInteger(value) && Number(value) > 0 && Number(value) <= 1_000_000) return Number(value);
  throw invalid(`${name} must be a whole number from 1 to 1000000.`);
}

const optionalNumber = (value: unknown, name: string): number | undefined =>
  value === undefined || value === null ? undefined : numberOf(value, name);

const htmlEntities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => htmlEntities[character] ?? '');

/** What is no request for this API at all, and what failed for a reason of our own. */
function refuseRequest(error: unknown, reply: FastifyReply): FastifyReply {
  const tooLarge = error instanceof Error && 'code' in error && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE';
  const { code, message, status } = tooLarge
    ? new Refusal('BODY_TOO_LARGE', `The body has more than ${maxSetupBytes} bytes.`)
    : toRefusal(error);
  return reply.code(status).send({ code, message });
}
