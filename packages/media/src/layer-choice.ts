/** A layer as it is chosen by: what it costs and shows with all temporal layers up to the index. */
export interface LayerOption {
  /** Bits per second. */
  bitrates: readonly number[];
  framesPerSecond: readonly number[];
}

/** A layer, by its index among the options, and the highest of its temporal layers. */
export interface Choice {
  layer: number;
  temporalLayer: number;
}

/** Fewer frames a second are no video: then a smaller picture is better. */
const MIN_FRAMES_PER_SECOND = 8;
/** A step up must fit with this much to spare; the one in use may exceed what there is by as much. */
const SPARE = 0.95;
const TOLERANCE = 1.1;
/** After a step down nothing goes up for this time; when the step before was up, and failed, for ever longer. */
const PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 16_000;
/** A step up that was taken back within this time has failed. */
const FAILED_WITHIN_MS = 4_000;

/**
 * Chooses what a subscriber is sent: the best that fits, without going back and forth. Temporal layers are given up before the
 * picture becomes smaller.
 */
export class LayerChooser {
  #last: Choice | undefined;
  #wentUpAt = Number.NEGATIVE_INFINITY;
  #notUpBefore = Number.NEGATIVE_INFINITY;
  #pauseMs = PAUSE_MS;

  /**
   * `options` are the layers that are sent now, the smallest first, at least one; `current` is the one that is forwarded, by its index, or
   * undefined when that is not sent any more. `budget` is in bits per second.
   */
  choose(options: readonly LayerOption[], current: number | undefined, budget: number, now: number): Choice {
    const steps = stepsOf(options);
    const at = current === undefined ? -1 : positionOf(steps, { layer: current, temporalLayer: this.#temporalLayer });
    let best = 0;
    for (const [index, { bitrate }] of steps.entries()) {
      if (bitrate <= budget * (index <= at ? TOLERANCE : SPARE)) best = index;
    }
    if (at >= 0 && best > at && now < this.#notUpBefore) best = at;
    if (at >= 0 && best !== at) this.#note(best > at, now);
    const chosen = steps[best] ?? { layer: 0, temporalLayer: Number.POSITIVE_INFINITY };
    this.#last = { layer: chosen.layer, temporalLayer: chosen.temporalLayer };
    return this.#last;
  }

  get #temporalLayer(): number {
    return this.#last?.temporalLayer ?? Number.POSITIVE_INFINITY;
  }

  #note(up: boolean, now: number): void {
    if (up) {
      this.#wentUpAt = now;
      return;
    }
    const failed = now - this.#wentUpAt < FAILED_WITHIN_MS;
    this.#pauseMs = failed ? Math.min(this.#pauseMs * 2, MAX_PAUSE_MS) : PAUSE_MS;
    this.#notUpBefore = now + this.#pauseMs;
  }
}

interface Step extends Choice {
  bitrate: number;
}

/** From the worst to the best. The last temporal layer is told as "all": more may come. */
function stepsOf(options: readonly LayerOption[]): Step[] {
  const steps: Step[] = [];
  for (const [layer, { bitrates, framesPerSecond }] of options.entries()) {
    for (const [index, bitrate] of bitrates.entries()) {
      const isWhole = index === bitrates.length - 1;
      if (!isWhole && (framesPerSecond[index] ?? 0) < MIN_FRAMES_PER_SECOND) continue;
      steps.push({ layer, temporalLayer: isWhole ? Number.POSITIVE_INFINITY : index, bitrate });
    }
  }
  return steps;
}

/** The step in use, or the nearest below when that is none any more. */
function positionOf(steps: readonly Step[], { layer, temporalLayer }: Choice): number {
  return steps.findLastIndex((step) => step.layer === layer && step.temporalLayer <= temporalLayer);
}
