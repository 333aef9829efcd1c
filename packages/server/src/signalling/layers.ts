import type { Layers, Media } from '@footlights/media';
import type { FastifyRequest } from 'fastify';
import { Refusal } from './refusal.ts';

/** Relation of the layers resource in a `Link` header (draft-murillo-whep). */
export const layersRelation = 'urn:ietf:params:whep:ext:core:layer';

/** Longest id in a choice of a layer, in characters; a RID has at most 255 (RFC 8851 section 4). */
const maxIdLength = 255;

/** A layer as clients are told of it. */
interface LayerAnswer {
  encodingId: string;
  /** In kbit/s. */
  bitrate: number;
  width: number;
  height: number;
  framesPerSecond: number;
  selected: boolean;
}

/** What GET and POST answer: the layers that are being sent, the lowest first. */
export interface LayersAnswer {
  /** Of the m-line that the layers are of. */
  mediaId: string;
  /** False when the client has chosen one. */
  automatic: boolean;
  layers: LayerAnswer[];
}

/** The layers of a subscription; throws a Refusal when it has none to choose from. */
export async function readLayers(media: Media, connectionId: string): Promise<LayersAnswer> {
  return describe(await layersOf(media, connectionId));
}

/**
 * Pins the subscription to the layer that `{"mediaId","encodingId"}` names, or lets it be chosen automatically with `{}`;
 * answers the layers after that. Throws a Refusal for a body of another form and for a layer that is not there.
 */
export async function chooseLayer(media: Media, connectionId: string, body: unknown): Promise<LayersAnswer> {
  const { mediaId, encodingId } = readChoice(body);
  const known = await layersOf(media, connectionId);
  if (mediaId !== undefined && mediaId !== known.mediaId) {
    throw new Refusal('LAYER_NOT_FOUND', `The video has the mediaId ${known.mediaId}, not ${mediaId}.`);
  }
  if (!(await media.chooseLayer(connectionId, encodingId))) {
    const ids = known.layers.map((layer) => layer.encodingId).join(', ');
    throw new Refusal('LAYER_NOT_FOUND', `There is no layer ${encodingId}; there are ${ids}.`);
  }
  return describe(await layersOf(media, connectionId));
}

/** The JSON of a request; throws a Refusal for another media type and for what is no JSON. */
export function readJson(request: FastifyRequest): unknown {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    const given = type?.slice(0, 64) ?? 'missing';
    throw new Refusal('UNSUPPORTED_MEDIA_TYPE', `Content-Type is ${given}; it must be application/json.`);
  }
  try {
    return JSON.parse(String(request.body ?? ''));
  } catch {
    throw new Refusal('INVALID_LAYER', 'The body is not JSON.');
  }
}

async function layersOf(media: Media, connectionId: string): Promise<Layers> {
  const layers = await media.layers(connectionId);
  if (layers === undefined) throw new Refusal('LAYER_NOT_FOUND', 'This session receives no video with layers.');
  return layers;
}

function describe({ mediaId, automatic, layers }: Layers): LayersAnswer {
  const active = layers.filter((layer) => layer.active);
  return {
    mediaId,
    automatic,
    layers: active.map(({ encodingId, bitrate, width, height, framesPerSecond, selected }) => ({
      encodingId,
      bitrate: Math.round(bitrate / 1000),
      width,
      height,
      framesPerSecond: Math.round(framesPerSecond),
      selected,
    })),
  };
}

function readChoice(body: unknown): { mediaId?: string; encodingId?: string } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal('INVALID_LAYER', 'The body must be {} or {"mediaId": "…", "encodingId": "…"}.');
  }
  const { mediaId, encodingId }: { mediaId?: unknown; encodingId?: unknown } = body;
  const choice = { ...idOf('mediaId', mediaId), ...idOf('encodingId', encodingId) };
  if (mediaId !== undefined && encodingId === undefined) {
    throw new Refusal(
      'INVALID_LAYER',
      'mediaId is given without encodingId: name the layer, or give {} for automatic.',
    );
  }
  return choice;
}

function idOf(name: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (typeof value === 'string' && value !== '' && value.length <= maxIdLength) return { [name]: value };
  throw new Refusal('INVALID_LAYER', `${name} must be a string of 1 to ${maxIdLength} characters.`);
}
