import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { maxSetupBytes, registerEncoderSetup } from './encoder-setup.ts';
import type { StreamKeyOwner } from './ingest.ts';
import { Refusal } from './refusal.ts';

const endpoints = { rtmp: 'rtmp://127.0.0.1:1935/app/', rtmps: 'rtmps://127.0.0.1:1936/app/' };
const limits = { maxPublishBitrate: 8_500_000, maxPublishPixels: 921_600 };

let app: FastifyInstance;
let ingestProtocol: 'RTMP' | 'RTMPS';

beforeEach(() => {
  ingestProtocol = 'RTMPS';
  const ownerOf = async (streamKey: string) => {
    if (streamKey === 'broken') throw new Error('the disk is gone');
    if (streamKey !== 'key') throw new Refusal('INVALID_STREAM_KEY', 'No <such> key.');
    return { configuration: { ingestProtocol } } as StreamKeyOwner;
  };
  app = fastify();
  registerEncoderSetup(app, { ingest: { ownerOf }, endpoints: () => endpoints, limits });
});

afterEach(() => app.close());

const canvas = { width: 1920, height: 1080, framerate: { numerator: 30, denominator: 1 } };

/** As OBS 30 asks. */
const request = (preferences: object = {}, more: object = {}) => ({
  service: 'IVS',
  schema_version: '2024-06-04',
  authentication: 'key',
  client: { name: 'obs-studio', version: '30.2.0', supported_codecs: ['h264', 'h265', 'av1'] },
  capabilities: {},
  preferences: { vod_track_audio: false, canvas_width: 1920, canvas_height: 1080, ...canvas, ...preferences },
  ...more,
});

async function ask(payload: object | string) {
  const url = '/api/v3/GetClientConfiguration';
  return app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload });
}

interface Track {
  width: number;
  height: number;
  settings: { bitrate: number };
}

async function tracks(preferences: object) {
  const { encoder_configurations } = (await ask(request(preferences))).json();
  return (encoder_configurations as Track[]).map(({ width, height, settings }) => [width, height, settings.bitrate]);
}

describe('GetClientConfiguration', () => {
  test('answers with three tracks, and where to send them', async () => {
    const response = await ask(request());
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    const body = response.json();
    expect(body).toMatchObject({
      meta: { service: 'IVS', schema_version: '2024-06-04', config_id: expect.stringMatching(/^[\w-]{36}$/) },
      status: { result: 'success' },
      ingest_endpoints: [{ protocol: 'RTMPS', url_template: `${endpoints.rtmps}{stream_key}` }],
      audio_configurations: { live: [{ codec: 'ffmpeg_aac', channels: 2, settings: { bitrate: 160 } }] },
    });
    expect(body.encoder_configurations).toHaveLength(3);
    for (const track of body.encoder_configurations)
      expect(track).toMatchObject({ type: 'obs_x264', settings: { keyint_sec: 2, bf: 0, profile: 'baseline' } });
    expect(await tracks({})).toEqual([
      [1280, 720, 2500],
      [640, 360, 883],
      [320, 180, 312],
    ]);
  });

  test('offers RTMP to a configuration that allows it', async () => {
    ingestProtocol = 'RTMP';
    expect((await ask(request())).json().ingest_endpoints).toEqual([
      { protocol: 'RTMPS', url_template: `${endpoints.rtmps}{stream_key}` },
      { protocol: 'RTMP', url_template: `${endpoints.rtmp}{stream_key}` },
    ]);
  });

  test('keeps to the tracks, the bit rate and the canvas of the software', async () => {
    expect(await tracks({ maximum_video_tracks: 1 })).toHaveLength(1);
    expect(await tracks({ maximum_video_tracks: 2 })).toHaveLength(2);
    expect(await tracks({ maximum_video_tracks: 6 })).toHaveLength(3);
    expect(await tracks({ width: 640, height: 360 })).toEqual([
      [640, 360, 883],
      [320, 180, 312],
    ]);
    expect((await tracks({ width: 1080, height: 1920 })).map(([width, height]) => [width, height])).toEqual([
      [720, 1280],
      [360, 640],
      [180, 320],
    ]);
    expect(await tracks({ width: 160, height: 90 })).toHaveLength(1);
    expect(await tracks({ canvases: [{ ...canvas, width: 640, height: 360 }] })).toHaveLength(2);
    const sum = (list: number[][]) => list.reduce((total, [, , kbps = 0]) => total + kbps, 0);
    expect(sum(await tracks({ maximum_aggregate_bitrate: 1160 }))).toBeGreaterThan(990);
    expect(sum(await tracks({ maximum_aggregate_bitrate: 1160 }))).toBeLessThanOrEqual(1000);
    expect(sum(await tracks({ framerate: { numerator: 240, denominator: 1 } }))).toBeLessThanOrEqual(8340);
  });

  test('takes a stream key with a query, as OBS may have it', async () => {
    expect((await ask(request({}, { authentication: 'key?bandwidthtest=true' }))).json().status.result).toBe('success');
  });

  test.each<[string, object | string, RegExp]>([
    ['an unknown key', request({}, { authentication: 'other' }), /^No &lt;such&gt; key\.$/],
    ['no key', request({}, { authentication: undefined }), /authentication/],
    ['no JSON', '{', /not JSON/],
    ['another JSON', '[]', /the body must be an object/],
    ['no preferences', request({}, { preferences: 7 }), /preferences must be an object/],
    ['no canvas', request({ canvases: [] }), /canvases\[0\]/],
    ['no width', request({ width: 0 }), /width must be a whole number/],
    ['a width beyond', request({ width: 1e9 }), /width must be a whole number/],
    ['no frame rate', request({ framerate: { numerator: 30, denominator: 0 } }), /framerate\.denominator/],
    ['a frame rate beyond', request({ framerate: { numerator: 241, denominator: 1 } }), /at most 240/],
    ['no H.264', request({}, { client: { supported_codecs: ['av1'] } }), /H\.264/],
    ['half a track', request({ maximum_video_tracks: 0.5 }), /maximum_video_tracks/],
  ])('refuses %s in words that OBS shows', async (_what, payload, words) => {
    const response = await ask(payload);
    expect(response.statusCode).toBe(200);
    expect(response.json().status).toEqual({ result: 'error', html_en_us: expect.stringMatching(words) });
    expect(response.json()).not.toHaveProperty('ingest_endpoints');
  });

  test('takes bodies up to a limit, and says nothing of what failed within', async () => {
    const body = JSON.stringify(request());
    expect((await ask(body.padEnd(maxSetupBytes))).json().status.result).toBe('success');
    expect((await ask(body.padEnd(maxSetupBytes + 1))).statusCode).toBe(413);
    const broken = await ask(request({}, { authentication: 'broken' }));
    expect([broken.statusCode, broken.body.includes('disk')]).toEqual([500, false]);
  });
});

test('FindIngest names this server', async () => {
  const response = await app.inject({ method: 'GET', url: '/api/v2/FindIngest' });
  expect(response.json()).toEqual({
    ingests: [
      {
        ...{ _id: 1, availability: 1, default: true, name: 'Footlights', priority: 1 },
        url_template: `${endpoints.rtmp}{stream_key}`,
        url_template_secure: `${endpoints.rtmps}{stream_key}`,
      },
    ],
  });
});
