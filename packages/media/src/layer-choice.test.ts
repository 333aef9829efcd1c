import { describe, expect, it } from 'vitest';
import { LayerChooser, type LayerOption } from './layer-choice.ts';

const plain = (bitrate: number): LayerOption => ({ bitrates: [bitrate], framesPerSecond: [30] });
/** 200, 700 and 2,500 kbit/s. */
const simulcast = [plain(200_000), plain(700_000), plain(2_500_000)];
const whole = Number.POSITIVE_INFINITY;

/** A chooser that is asked again and again; the last choice is the current one. */
class Asked {
  readonly #chooser = new LayerChooser();
  #current: number | undefined;

  choose(options: readonly LayerOption[], budget: number, now: number) {
    const choice = this.#chooser.choose(options, this.#current, budget, now);
    this.#current = choice.layer;
    return choice;
  }

  layer(budget: number, now: number): number {
    return this.choose(simulcast, budget, now).layer;
  }
}

describe('LayerChooser', () => {
  it('takes the best that fits, and the lowest when none does', () => {
    for (const [budget, layer] of [
      [5_000_000, 2],
      [2_000_000, 1],
      [500_000, 0],
      [10_000, 0],
    ] as const) {
      expect(new Asked().layer(budget, 0)).toBe(layer);
    }
  });

  it('goes up only with 5 % to spare, and down only when what it has is 10 % too much', () => {
    const asked = new Asked();
    expect(asked.layer(720_000, 0)).toBe(0);
    expect(asked.layer(740_000, 1)).toBe(1);
    expect(asked.layer(640_000, 2)).toBe(1);
    expect(asked.layer(630_000, 3)).toBe(0);
  });

  it('waits a second after a step down, and ever longer when steps up fail', () => {
    const asked = new Asked();
    const rises = (from: number) => {
      for (let now = from; now < from + 60_000; now += 100) if (asked.layer(3_000_000, now) === 2) return now - from;
      return undefined;
    };
    asked.layer(3_000_000, 0);
    asked.layer(1_000_000, 10_000);
    expect(rises(10_000)).toBe(1_000);
    let now = 11_000;
    for (const pause of [2_000, 4_000, 8_000, 16_000, 16_000]) {
      now += 500;
      asked.layer(1_000_000, now);
      expect(rises(now)).toBe(pause);
      now += pause;
    }
    now += 4_000;
    asked.layer(1_000_000, now);
    expect(rises(now)).toBe(1_000);
  });

  it('leaves temporal layers out before the picture becomes smaller', () => {
    const options = [plain(200_000), { bitrates: [400_000, 550_000, 700_000], framesPerSecond: [7.5, 15, 30] }];
    expect(new Asked().choose(options, 800_000, 0)).toEqual({ layer: 1, temporalLayer: whole });
    expect(new Asked().choose(options, 600_000, 0)).toEqual({ layer: 1, temporalLayer: 1 });
    // At 7.5 frames a second it would hardly be video.
    expect(new Asked().choose(options, 450_000, 0)).toEqual({ layer: 0, temporalLayer: whole });
  });

  it('leaves at once what is not sent any more', () => {
    const chooser = new LayerChooser();
    expect(chooser.choose(simulcast, undefined, 5_000_000, 0).layer).toBe(2);
    expect(chooser.choose(simulcast.slice(0, 2), undefined, 5_000_000, 100).layer).toBe(1);
  });
});
