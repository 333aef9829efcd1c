import type { ConnectionIdentity } from '../connection.ts';
import type { Layer, LayerTap } from '../layer.ts';
import { REDUNDANT_STALL_MS } from '../limits.ts';
import type { Publication } from '../publication.ts';
import type { Clock, TransportHost } from '../rim/transport.ts';
import { type TrackDescription, UpTrack } from '../up-track.ts';
import { Feed } from './feed.ts';
import { modulo32 } from './timeline.ts';

/** Frames that are made up for follow each other this closely. */
const SQUEEZED_MS = 1;

/** What a redundant stream needs of the process. */
export interface RedundantContext {
  host: TransportHost;
  clock: Clock;
  /** Viewers get another encoder's stream from now on. */
  switched(to: ConnectionIdentity): void;
}

/** One layer of what viewers get: continues its numbers and timestamps from one encoder to the next. */
class Continuation {
  readonly #feed: Feed;
  readonly #clock: Clock;
  /** From the encoder's RTP timestamps to ours. */
  #shift = 0;
  #lastTimestamp: number | undefined;
  /** The encoder's timestamp of the frame at hand. */
  #frame: number | undefined;

  constructor(layer: Layer, clock: Clock) {
    this.#feed = new Feed(layer);
    this.#clock = clock;
  }

  /** Goes on with an encoder's layer: what was captured at one time has one timestamp. */
  begin({ clock: { reference } }: Layer): void {
    const ours = reference && this.#feed.layer.clock.timestampAt(reference.localMs);
    if (reference && ours !== undefined) this.#shift = (ours - reference.timestamp) | 0;
    this.#frame = undefined;
  }

  readonly tap: LayerTap = ({ buffer, payloadOffset, payloadEnd, timestamp, marker }) => {
    const continued = this.#continue(timestamp);
    if (continued === undefined) return;
    this.#feed.packet(buffer.subarray(payloadOffset, payloadEnd), continued, marker, this.#clock.now());
  };

  /** Our clock is the encoder's. */
  tellClock({ clock: { reference } }: Layer): void {
    if (!reference) return;
    this.#feed.clock(reference.localMs, modulo32(reference.timestamp + this.#shift), this.#clock.now());
  }

  /** Pictures that viewers have had already are needed by those after them: they are shown as quickly as may be. Sound of that time is left out. */
  #continue(timestamp: number): number | undefined {
    const last = this.#lastTimestamp;
    if (timestamp === this.#frame && last !== undefined) return last;
    const wanted = modulo32(timestamp + this.#shift);
    const isLate = last !== undefined && ((wanted - last) | 0) <= 0;
    if (isLate && this.#feed.layer.codec === 'opus') return undefined;
    const squeezed = modulo32((last ?? 0) + SQUEEZED_MS * (this.#feed.clockRate / 1_000));
    this.#frame = timestamp;
    this.#lastTimestamp = isLate ? squeezed : wanted;
    return this.#lastTimestamp;
  }
}

/**
 * What viewers get of encoders that send the same (redundant ingest): the stream of one of them, and of another within a second
 * of its stopping. The other one is begun at its last key frame, which need not come first.
 */
export class RedundantStream implements Publication {
  readonly identity: ConnectionIdentity;
  tracks: readonly UpTrack[] = [];
  readonly #context: RedundantContext;
  readonly #members: Publication[] = [];
  #continuations: Continuation[][] = [];
  #active: Publication | undefined;
  #untap: (() => void)[] = [];

  constructor(identity: ConnectionIdentity, context: RedundantContext) {
    this.identity = identity;
    this.#context = context;
  }

  /** Takes in an encoder's stream whose tracks are there; false when viewers who get another one could not decode it. */
  add(member: Publication): boolean {
    if (this.tracks.length === 0) this.#makeTracks(member.tracks);
    const isAlike = this.tracks.every(({ codec }, index) => member.tracks[index]?.codec === codec);
    if (!isAlike) return false;
    this.#members.push(member);
    if (!this.#active) this.#activate(member);
    return true;
  }

  remove(member: Publication): void {
    const index = this.#members.indexOf(member);
    if (index >= 0) this.#members.splice(index, 1);
    if (this.#active !== member) return;
    this.#leave();
    const [next] = this.#members;
    if (next) this.#activate(this.#flowing(this.#context.clock.now()) ?? next);
  }

  /** Every tick. */
  tick(now: number): void {
    for (const track of this.tracks) track.tick(now);
    this.#tellClocks();
    if (!this.#active || isFlowing(this.#active, now)) return;
    const other = this.#flowing(now);
    if (!other) return;
    this.#leave();
    this.#activate(other);
  }

  end(): void {
    this.#leave();
    this.#members.length = 0;
  }

  #flowing(now: number): Publication | undefined {
    return this.#members.find((member) => isFlowing(member, now));
  }

  #makeTracks(tracks: readonly UpTrack[]): void {
    const { host, clock } = this.#context;
    this.tracks = tracks.map(
      ({ description }: { description: TrackDescription }) =>
        new UpTrack({ description, host, now: clock.now(), requestKeyFrame: () => {} }),
    );
    this.#continuations = this.tracks.map(({ layers }) => layers.map((layer) => new Continuation(layer, clock)));
  }

  #activate(member: Publication): void {
    this.#active = member;
    for (const { continuation, layer } of this.#pairs(member)) {
      continuation.begin(layer);
      layer.tap(continuation.tap);
      this.#untap.push(() => layer.untap(continuation.tap));
    }
    this.#context.switched(member.identity);
  }

  #leave(): void {
    for (const untap of this.#untap.splice(0)) untap();
    this.#active = undefined;
  }

  #tellClocks(): void {
    if (!this.#active) return;
    for (const { continuation, layer } of this.#pairs(this.#active)) continuation.tellClock(layer);
  }

  /** Layers of a member and what continues in each, video first: its replay must not be late behind the sound. */
  #pairs(member: Publication): { continuation: Continuation; layer: Layer }[] {
    return member.tracks
      .flatMap(({ layers, kind }, track) =>
        layers.flatMap((layer, index) => {
          const continuation = this.#continuations[track]?.[index];
          return continuation ? [{ continuation, layer, kind }] : [];
        }),
      )
      .sort((a, b) => Number(a.kind === 'audio') - Number(b.kind === 'audio'));
  }
}

/** Something came of each track not long ago. */
function isFlowing({ tracks }: Publication, now: number): boolean {
  const newest = ({ layers }: UpTrack) => Math.max(...layers.map(({ lastPacketAt }) => lastPacketAt));
  return tracks.every((track) => now - newest(track) < REDUNDANT_STALL_MS);
}
