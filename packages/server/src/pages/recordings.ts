// /recordings: what the buckets of the server hold, by stage, session and participant, with a player and thumbnails.

import Hls from 'hls.js';
import { BucketReader, prefixOf, ReadError, type RecordingMetadata, type RecordingPlace } from './bucket-reader.ts';
import { byId, clearProblem, showProblem } from './page.ts';
import type { Keys } from './presign.ts';

/** Thumbnails of one strip; of more, so many that lie evenly between the first and the last. */
const stripLength = 120;
/** In the session's storage: the keys go with the window. */
const storedKeys = 'footlights-keys';

const s3 = `${window.location.origin}/s3`;
let player: Hls | undefined;

/** Runs something that reads, and shows why it could not. */
function attempt(read: () => Promise<void>): void {
  clearProblem();
  read().catch((error: unknown) => {
    if (error instanceof ReadError) showProblem(error.code, error.message);
    else showProblem('INTERNAL', String(error));
  });
}

function readKeys(): Keys | undefined {
  try {
    return JSON.parse(window.sessionStorage.getItem(storedKeys) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

/** Without keys first: a server may ask for none. */
async function open(): Promise<void> {
  const keys = readKeys();
  const reader = new BucketReader(s3, keys);
  try {
    await showBuckets(reader);
    byId('keys-form').hidden = true;
  } catch (error) {
    byId('keys-form').hidden = !(error instanceof ReadError) || error.code === 'NO_LOCAL_BUCKETS';
    window.sessionStorage.removeItem(storedKeys);
    if (keys || !(error instanceof ReadError) || error.code !== 'AccessDenied') throw error;
    // A page without this has no cryptography (a plain HTTP address that is not this machine's).
    if (!window.isSecureContext) throw new ReadError('NOT_SECURE', '');
  }
}

async function showBuckets(reader: BucketReader): Promise<void> {
  const buckets = await reader.buckets();
  const places = await Promise.all(
    buckets.map(async (bucket) => (await reader.folders(bucket, '')).map((stageId) => ({ bucket, stageId }))),
  );
  const stages = places.flat();
  byId('choice').hidden = stages.length === 0;
  byId('empty').hidden = stages.length > 0;
  const select = byId<HTMLSelectElement>('stage');
  select.replaceChildren(
    ...stages.map(({ bucket, stageId }) => {
      const option = document.createElement('option');
      option.textContent = `${stageId} in ${bucket}`;
      return option;
    }),
  );
  const show = () => {
    const stage = stages[select.selectedIndex];
    if (stage) attempt(async () => showRecordings(reader, await reader.recordings(stage.bucket, stage.stageId)));
  };
  select.onchange = show;
  show();
}

function showRecordings(reader: BucketReader, recordings: readonly RecordingPlace[]): void {
  const sessions = new Map<string, RecordingPlace[]>();
  for (const place of recordings) sessions.set(place.sessionId, [...(sessions.get(place.sessionId) ?? []), place]);
  byId('sessions').replaceChildren(
    ...[...sessions].map(([sessionId, places]) => {
      const section = document.createElement('section');
      section.className = 'card';
      const title = document.createElement('h2');
      title.textContent = `Session ${sessionId}`;
      section.append(title, ...places.map((place) => recordingButton(reader, place)));
      return section;
    }),
  );
}

function recordingButton(reader: BucketReader, place: RecordingPlace): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'recording';
  button.dataset.prefix = prefixOf(place);
  button.textContent = `${place.participantId}, ${timeOf(place.startedAt)}`;
  button.addEventListener('click', () => {
    for (const other of document.querySelectorAll('.recording')) other.removeAttribute('aria-pressed');
    button.setAttribute('aria-pressed', 'true');
    attempt(() => showRecording(reader, place));
  });
  return button;
}

/** `2026-01-02T03-04-05Z` for people. */
function timeOf(text: string): string {
  const time = new Date(text.replace(/T(\d\d)-(\d\d)-(\d\d)/, 'T$1:$2:$3'));
  return Number.isNaN(time.getTime()) ? text : time.toLocaleString();
}

async function showRecording(reader: BucketReader, place: RecordingPlace): Promise<void> {
  const metadata = await reader.metadata(place);
  byId('recording').hidden = false;
  byId('recording-name').textContent = `${place.participantId}, ${timeOf(place.startedAt)}`;
  byId('recording-facts').textContent = factsOf(metadata);
  play(reader, place, metadata);
  await showThumbnails(reader, place, metadata);
}

function factsOf({ recording_status, recording_status_message, media }: RecordingMetadata): string {
  const milliseconds = media?.hls?.duration_ms;
  const duration = milliseconds === undefined ? [] : [`${(milliseconds / 1000).toFixed(1)} s`];
  const status = recording_status?.toLowerCase().replaceAll('_', ' ') ?? 'no metadata';
  return [status, ...duration, ...(recording_status_message ? [recording_status_message] : [])].join(' · ');
}

/** Each request of the player gets a signature of its own: a playlist's URLs are relative. */
function play(reader: BucketReader, place: RecordingPlace, { media }: RecordingMetadata): void {
  player?.destroy();
  const { path = 'media/hls', playlist = 'multivariant.m3u8' } = media?.hls ?? {};
  const video = document.createElement('video');
  Object.assign(video, { controls: true, playsInline: true });
  byId('frame').replaceChildren(video);
  const base = `${s3}/${place.bucket}/${prefixOf(place).split('/').map(encodeURIComponent).join('/')}`;
  player = new Hls({
    enableWorker: false,
    xhrSetup: async (xhr, url) => xhr.open('GET', await reader.sign(url)),
  });
  player.on(Hls.Events.ERROR, (_event, { fatal, details }) => {
    if (fatal) showProblem('PLAYBACK', details);
  });
  player.loadSource(`${base}${path}/${playlist}`);
  player.attachMedia(video);
}

async function showThumbnails(
  reader: BucketReader,
  place: RecordingPlace,
  { media }: RecordingMetadata,
): Promise<void> {
  const strip = byId('thumbnails');
  strip.replaceChildren();
  const paths = [media?.thumbnails?.path, media?.latest_thumbnail?.path].filter((path) => path !== undefined);
  const lists = await Promise.all(paths.map((path) => reader.keys(place.bucket, `${prefixOf(place)}${path}/`)));
  const keys = lists.flat().filter((key) => key.endsWith('.jpg'));
  keys.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const pictures = await Promise.all(
    evenly(keys, stripLength).map(async (key) => picture(key, await reader.url(place.bucket, key))),
  );
  strip.replaceChildren(...pictures);
}

function picture(key: string, url: string): HTMLImageElement {
  const image = document.createElement('img');
  image.loading = 'lazy';
  image.alt = key.split('/').slice(-1).join('');
  image.src = url;
  return image;
}

/** At most so many, the first and the last among them. */
function evenly<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))] as T);
}

byId<HTMLFormElement>('keys-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const keys: Keys = {
    accessKeyId: byId<HTMLInputElement>('access-key-id').value.trim(),
    secretAccessKey: byId<HTMLInputElement>('secret-access-key').value.trim(),
  };
  window.sessionStorage.setItem(storedKeys, JSON.stringify(keys));
  attempt(open);
});
attempt(open);
