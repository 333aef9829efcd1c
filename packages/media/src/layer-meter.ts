import type { LayerOption } from './layer-choice.ts';

/** Temporal layers that are told apart. */
const TEMPORAL_LAYERS = 4;
const PERIOD_MS = 250;
/** Rates are means over so many periods, long enough that a key frame is no peak. */
const PERIODS = 8;

/** Measures a layer: bits per second up to each temporal layer, frames per second. Nothing is assumed of what was announced. */
export class LayerMeter {
  /** Bytes by period and temporal layer; frames by period. */
  readonly #bytes = new Float64Array(PERIODS * TEMPORAL_LAYERS);
  readonly #frames = new Float64Array(PERIODS * TEMPORAL_LAYERS);
  #period = 0;
  #periodStartedAt: number;
  #startedAt: number | undefined;
  /** Highest temporal layer that was seen. */
  #highest = 0;
  #option: LayerOption = { bitrates: [], framesPerSecond: [] };
  #optionAt: number | undefined;

  constructor(now: number) {
    this.#periodStartedAt = now;
  }

  /** The highest temporal layer of the stream, 0 without. */
  get highestTemporalLayer(): number {
    return this.#highest;
  }

  add(bytes: number, temporalLayer: number, startsFrame: boolean, now: number): void {
    this.#startedAt ??= now;
    const layer = Math.min(temporalLayer, TEMPORAL_LAYERS - 1);
    if (layer > this.#highest) this.#highest = layer;
    const slot = this.#period * TEMPORAL_LAYERS + layer;
    this.#bytes[slot] = (this.#bytes[slot] ?? 0) + bytes;
    if (startsFrame) this.#frames[slot] = (this.#frames[slot] ?? 0) + 1;
  }

  /** Lets time pass; call at least every period. */
  tick(now: number): void {
    for (let late = 0; now - this.#periodStartedAt >= PERIOD_MS; late++) {
      if (late > PERIODS) {
        this.#periodStartedAt = now;
        return;
      }
      this.#periodStartedAt += PERIOD_MS;
      this.#period = (this.#period + 1) % PERIODS;
      const from = this.#period * TEMPORAL_LAYERS;
      this.#bytes.fill(0, from, from + TEMPORAL_LAYERS);
      this.#frames.fill(0, from, from + TEMPORAL_LAYERS);
    }
  }

  /** Bits per second of the temporal layers up to this one; 0 before the first packet. */
  bitrate(now: number, upTo = TEMPORAL_LAYERS - 1): number {
    return this.#rate(this.#bytes, now, upTo) * 8;
  }

  framesPerSecond(now: number, upTo = TEMPORAL_LAYERS - 1): number {
    return this.#rate(this.#frames, now, upTo);
  }

  /** What the layer costs and shows up to each of its temporal layers. Many subscribers ask in one moment: it is made once. */
  option(now: number): LayerOption {
    if (this.#optionAt === now) return this.#option;
    const levels = Array.from({ length: this.#highest + 1 }, (_, level) => level);
    this.#optionAt = now;
    this.#option = {
      bitrates: levels.map((level) => this.bitrate(now, level)),
      framesPerSecond: levels.map((level) => this.framesPerSecond(now, level)),
    };
    return this.#option;
  }

  #rate(counts: Float64Array, now: number, upTo: number): number {
    if (this.#startedAt === undefined) return 0;
    let sum = 0;
    for (let slot = 0; slot < counts.length; slot++) if (slot % TEMPORAL_LAYERS <= upTo) sum += counts[slot] ?? 0;
    const whole = (PERIODS - 1) * PERIOD_MS + (now - this.#periodStartedAt);
    const ms = Math.min(whole, Math.max(PERIOD_MS, now - this.#startedAt));
    return (sum * 1_000) / ms;
  }
}
