import type { Speaker } from './media.ts';

/** Loudness is judged over this time. */
const WINDOW_MS = 500;
/** Louder than this is speech, in -dBov (RFC 6464 section 3); rooms hum at 50 and more. */
const SPEECH_LEVEL = 40;
/** So many packets of a window make a voice: 100 ms of the usual 20 ms packets. */
const SPEECH_PACKETS = 5;
/** Who spoke is a speaker for this long after, so that pauses between words do not show. */
const HOLD_MS = 1_000;

/** Listens to one publisher by the levels that its packets tell. */
export class VoiceMeter {
  #windowStartedAt = Number.NEGATIVE_INFINITY;
  #loudPackets = 0;
  #sum = 0;
  #spokeAt = Number.NEGATIVE_INFINITY;
  #level = 0;
  #isTold = false;

  /** `dBov` is the loudness of a packet below the maximum, 0 to 127. */
  add(dBov: number, now: number): void {
    this.#isTold = true;
    if (now - this.#windowStartedAt >= WINDOW_MS) this.#begin(now);
    if (dBov > SPEECH_LEVEL) return;
    this.#loudPackets += 1;
    this.#sum += dBov;
    if (this.#loudPackets < SPEECH_PACKETS) return;
    this.#spokeAt = now;
    this.#level = 10 ** (-this.#sum / this.#loudPackets / 20);
  }

  /** 0 when nobody speaks, to 1. */
  level(now: number): number {
    return now - this.#spokeAt < HOLD_MS ? this.#level : 0;
  }

  /** True when packets tell their loudness and nobody speaks. */
  isSilent(now: number): boolean {
    return this.#isTold && this.level(now) === 0;
  }

  #begin(now: number): void {
    this.#windowStartedAt = now;
    this.#loudPackets = 0;
    this.#sum = 0;
  }
}

/** Who speaks on a stage, and when that is news. */
export class Speakers {
  #told = '';

  /** The speakers, the loudest first, when they are other ones or in another order than last time. */
  update(participants: Iterable<Speaker>): Speaker[] | undefined {
    const speaking = [...participants].filter(({ level }) => level > 0);
    // A little louder is no other order: the list would never rest.
    speaking.sort((a, b) => Math.round(Math.log2(b.level)) - Math.round(Math.log2(a.level)) || compare(a, b));
    const told = speaking.map(({ participantId }) => participantId).join(' ');
    if (told === this.#told) return undefined;
    this.#told = told;
    return speaking.map(({ participantId, level }) => ({ participantId, level: Math.round(level * 1_000) / 1_000 }));
  }
}

const compare = (a: Speaker, b: Speaker) => (a.participantId < b.participantId ? -1 : 1);
