// Buckets and recordings as a page reads them, over the S3 protocol of the server.

import { type Keys, presign } from './presign.ts';

/** The server refused, or could not be reached; `code` is S3's, or one of this page's. */
export class ReadError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where one recording is. */
export interface RecordingPlace {
  bucket: string;
  stageId: string;
  sessionId: string;
  participantId: string;
  /** When it began, as in its prefix: colons are hyphens. */
  startedAt: string;
}

export const prefixOf = ({ stageId, sessionId, participantId, startedAt }: RecordingPlace): string =>
  `${stageId}/${sessionId}/${participantId}/${startedAt}/`;

/** What the recording says of itself, as far as it is shown. */
export interface RecordingMetadata {
  recording_status?: string;
  recording_status_message?: string;
  media?: {
    hls?: { path?: string; playlist?: string; duration_ms?: number };
    thumbnails?: { path?: string };
    latest_thumbnail?: { path?: string };
  };
}

/** Reads with the keys, or without any from a server that asks for none. */
export class BucketReader {
  readonly #base: string;
  readonly #keys: Keys | undefined;

  constructor(base: string, keys: Keys | undefined) {
    this.#base = base;
    this.#keys = keys;
  }

  async buckets(): Promise<string[]> {
    return textsOf(await this.#xml('/', {}), 'Bucket > Name');
  }

  /** The names below a prefix that have something below them. */
  async folders(bucket: string, prefix: string): Promise<string[]> {
    const found = await this.#list(bucket, { prefix, delimiter: '/' }, 'CommonPrefixes > Prefix');
    return found.map((folder) => folder.slice(prefix.length, -1));
  }

  keys(bucket: string, prefix: string): Promise<string[]> {
    return this.#list(bucket, { prefix }, 'Contents > Key');
  }

  /** The recordings of a stage, the newest first. */
  async recordings(bucket: string, stageId: string): Promise<RecordingPlace[]> {
    const places: RecordingPlace[] = [];
    for (const sessionId of await this.folders(bucket, `${stageId}/`))
      for (const participantId of await this.folders(bucket, `${stageId}/${sessionId}/`))
        for (const startedAt of await this.folders(bucket, `${stageId}/${sessionId}/${participantId}/`))
          places.push({ bucket, stageId, sessionId, participantId, startedAt });
    return places.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  }

  /** Of the event that ended it, else of the one that began it. */
  async metadata(place: RecordingPlace): Promise<RecordingMetadata> {
    const keys = await this.keys(place.bucket, `${prefixOf(place)}events/recording-`);
    const key = keys.find((name) => !name.endsWith('recording-started.json')) ?? keys[0];
    if (key === undefined) return {};
    const response = await this.#get(await this.url(place.bucket, key));
    return (await response.json()) as RecordingMetadata;
  }

  /** Good for an hour. */
  url(bucket: string, key: string): Promise<string> {
    return this.sign(`${this.#base}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`);
  }

  async sign(url: string): Promise<string> {
    return this.#keys ? String(await presign(new URL(url), this.#keys, new Date())) : url;
  }

  async #list(bucket: string, query: Record<string, string>, selector: string): Promise<string[]> {
    const found: string[] = [];
    let token = '';
    do {
      const more: Record<string, string> = token === '' ? {} : { 'continuation-token': token };
      const xml = await this.#xml(`/${bucket}`, { 'list-type': '2', ...query, ...more });
      found.push(...textsOf(xml, selector));
      [token = ''] = textsOf(xml, 'NextContinuationToken');
    } while (token !== '');
    return found;
  }

  async #xml(path: string, query: Record<string, string>): Promise<Document> {
    const words = new URLSearchParams(query).toString();
    const response = await this.#get(await this.sign(`${this.#base}${path}${words === '' ? '' : `?${words}`}`));
    return new DOMParser().parseFromString(await response.text(), 'application/xml');
  }

  async #get(url: string): Promise<Response> {
    const response = await fetch(url).catch(() => {
      throw new ReadError('NETWORK', 'The server does not answer.');
    });
    if (response.ok) return response;
    // Without buckets the path is nobody's, and the answer no XML.
    if (!response.headers.get('content-type')?.includes('xml')) throw new ReadError('NO_LOCAL_BUCKETS', '');
    const error = new DOMParser().parseFromString(await response.text(), 'application/xml');
    const [code = 'INTERNAL'] = textsOf(error, 'Error > Code');
    throw new ReadError(code, textsOf(error, 'Error > Message')[0] ?? '');
  }
}

const textsOf = (xml: Document, selector: string): string[] =>
  [...xml.querySelectorAll(selector)].map((element) => element.textContent ?? '');
