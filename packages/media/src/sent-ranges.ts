import type { Layer } from './layer.ts';

/** What is remembered of the past; older packets cannot be sent again. */
const MAX_RANGES = 64;

/** Consecutive packets of a layer that were sent with one shift between its numbers and ours. */
export interface SentRange {
  readonly layer: Layer;
  /** The layer's numbers, both included; `last` is below `first` while nothing was sent. */
  first: number;
  last: number;
  /** Added to the layer's numbers, timestamps, PictureIDs and TL0PICIDXs. */
  shift: number;
  readonly timestampShift: number;
  /** The layer's newest timestamp when the range began: what is older was sent faster than it was made. */
  readonly caughtUpAt: number;
  pictureIdShift: number;
  readonly tl0PicIdxShift: number;
}

/** What was sent to a subscriber, by the numbers of its layers and by ours: the newest ranges of it. */
export class SentRanges {
  readonly #ranges: SentRange[] = [];

  /** The newest range; undefined before the first. */
  get current(): SentRange | undefined {
    return this.#ranges.at(-1);
  }

  add(range: SentRange): void {
    if (this.current && this.current.last < this.current.first) this.#ranges.pop();
    this.#ranges.push(range);
    if (this.#ranges.length > MAX_RANGES) this.#ranges.shift();
  }

  /** Forgets all that comes after one of our numbers. */
  truncate(own: number): void {
    for (let range = this.current; range && range.first + range.shift > own; range = this.current) {
      if (this.#ranges.length === 1) break;
      this.#ranges.pop();
    }
    const { current } = this;
    if (current) current.last = Math.min(current.last, own - current.shift);
  }

  /** The range of a layer's number. */
  ofNumber(layer: Layer, number: number): SentRange | undefined {
    return this.#ranges.findLast((range) => range.layer === layer && range.first <= number && number <= range.last);
  }

  /** The range of one of our numbers. */
  ofOwn(own: number): SentRange | undefined {
    return this.#ranges.findLast(({ first, last, shift }) => first + shift <= own && own <= last + shift);
  }
}
