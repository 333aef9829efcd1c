/** What a broadcast software draws. */
export interface Canvas {
  width: number;
  height: number;
  framerate: { numerator: number; denominator: number };
}

/** One video track of several that show the same. */
export interface Rung {
  width: number;
  height: number;
  bps: number;
}

/** What all tracks together keep to; `tracks` is what the software can make. */
export interface LadderBounds {
  tracks?: number | undefined;
  bps: number;
  /** Width times height of the largest. */
  pixels: number;
}

/** More layers than these make no viewer see better. */
const maxRungs = 3;
/** AWS takes no picture that is lower. */
const minHeight = 160;
/** 720p at 30 frames a second. */
const reference = { pixelsPerSecond: 1280 * 720 * 30, bps: 2_500_000 };

/**
 * The tracks that a software should make of its canvas, the best first: as large as may be published, then a half and a quarter
 * of that in each direction. Together they keep to the bit rate.
 */
export function simulcastLadder(canvas: Canvas, { tracks = maxRungs, bps, pixels }: LadderBounds): Rung[] {
  const top = Math.min(1, Math.sqrt(pixels / (canvas.width * canvas.height)));
  const scales = [1, 1 / 2, 1 / 4].slice(0, Math.max(1, Math.min(tracks, maxRungs)));
  const sizes = scales
    .map((scale) => sizeOf(canvas, top * scale))
    .filter((size, index) => index === 0 || Math.min(size.width, size.height) >= minHeight);
  const wanted = sizes.map((size) => wantedBps(size, canvas.framerate));
  const share = Math.min(1, bps / wanted.reduce((sum, one) => sum + one, 0));
  return sizes.map((size, index) => ({ ...size, bps: Math.floor((wanted[index] ?? 0) * share) }));
}

/** Even, because 4:2:0 has a colour for two by two. */
function sizeOf({ width, height }: Canvas, scale: number): { width: number; height: number } {
  const even = (length: number) => Math.max(2, 2 * Math.floor((length * scale + 1e-6) / 2));
  return { width: even(width), height: even(height) };
}

/** A picture of twice the pixels needs less than twice the bits. */
function wantedBps({ width, height }: { width: number; height: number }, framerate: Canvas['framerate']): number {
  const pixelsPerSecond = (width * height * framerate.numerator) / framerate.denominator;
  return reference.bps * (pixelsPerSecond / reference.pixelsPerSecond) ** 0.75;
}
