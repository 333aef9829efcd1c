/** Longest input that mutations grow to. */
export const MAX_INPUT = 8_192;
/** Most edits of one input. */
const MAX_EDITS = 8;
/** Longest range that one edit copies, cuts or fills. */
const MAX_RANGE = 64;
/** One in so many inputs is random bytes alone. */
const RANDOM_EVERY = 32;
/** Bytes that lengths, counts, flags and texts turn on. */
const TELLING = Buffer.from([
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  15,
  16,
  31,
  32,
  63,
  64,
  127,
  128,
  192,
  254,
  255,
  ...Buffer.from('\r\n:;=/ 09-.'),
]);

/**
 * Inputs for a fuzzer: inputs of a corpus with a few edits each, which a seed determines. Fast, because it edits in one buffer; that
 * can be shared with who watches for an input that never ends.
 */
export class Mutator {
  private readonly corpus: readonly Buffer[];
  private readonly scratch: Buffer;
  private state: number;
  private length = 0;

  /** `scratch` has MAX_INPUT bytes or more. An empty corpus gives random bytes. */
  constructor(corpus: readonly Buffer[], seed: number, scratch: Buffer = Buffer.alloc(MAX_INPUT)) {
    this.corpus = corpus;
    this.scratch = scratch;
    this.state = seed | 0 || 1;
  }

  /** The next input, valid until the next call. */
  next(): Buffer {
    if (this.corpus.length === 0 || this.below(RANDOM_EVERY) === 0) this.randomize();
    else {
      const start = this.pick();
      this.length = start.copy(this.scratch, 0, 0, MAX_INPUT);
      for (let edits = 1 + this.below(MAX_EDITS); edits > 0; edits--) this.edit();
    }
    return this.scratch.subarray(0, this.length);
  }

  private randomize(): void {
    this.length = this.below(this.below(4) === 0 ? 512 : 32);
    for (let at = 0; at < this.length; at++) this.scratch[at] = this.random();
  }

  private edit(): void {
    const at = this.below(this.length + 1);
    switch (this.below(9)) {
      case 0:
        this.set(at, this.scratch[at]! ^ (1 << this.below(8)));
        break;
      case 1:
        this.set(at, this.random());
        break;
      case 2:
        this.set(at, TELLING[this.below(TELLING.length)]!);
        break;
      case 3:
        this.set(at, this.scratch[at]! + this.below(9) - 4);
        break;
      case 4:
        this.length = at;
        break;
      case 5:
        this.cut(at, 1 + this.below(MAX_RANGE));
        break;
      case 6:
        this.open(at, Math.min(1 + this.below(MAX_RANGE), this.length - at));
        break;
      case 7:
        this.splice(at);
        break;
      default:
        this.fill(at);
    }
  }

  private set(at: number, byte: number): void {
    if (at < this.length) this.scratch[at] = byte;
  }

  private cut(at: number, count: number): void {
    const behind = Math.min(at + count, this.length);
    this.scratch.copyWithin(at, behind, this.length);
    this.length -= behind - at;
  }

  /** Makes room for some bytes, at most `count`, and returns their number; they repeat those that follow. */
  private open(at: number, count: number): number {
    const room = Math.min(count, MAX_INPUT - this.length);
    this.scratch.copyWithin(at + room, at, this.length);
    this.length += room;
    return room;
  }

  /** A piece of another input, put between or written over. */
  private splice(at: number): void {
    const other = this.pick();
    const from = this.below(other.length);
    const count = Math.min(1 + this.below(MAX_RANGE), other.length - from);
    const room = this.below(2) === 0 ? this.open(at, count) : Math.min(count, this.length - at);
    other.copy(this.scratch, at, from, from + room);
  }

  /** 1 to 8 times the same byte. */
  private fill(at: number): void {
    const room = this.open(at, 1 + this.below(8));
    this.scratch.fill(TELLING[this.below(TELLING.length)]!, at, at + room);
  }

  private pick(): Buffer {
    return this.corpus[this.below(this.corpus.length)]!;
  }

  /** 0 to `limit` - 1. */
  private below(limit: number): number {
    return (((this.random() >>> 8) * limit) / 0x1000000) | 0;
  }

  /** xorshift of 32 bits (Marsaglia 2003). */
  private random(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x;
  }
}
