// Reads what the pictures of flash-and-beep.ts and frame-clock.ts tell of themselves where FFmpeg decodes them: in recordings, and in screenshots.
import { execFileSync } from 'node:child_process';
import type { Page } from 'playwright-core';

const [bits, columns, rows, rowShare] = [40, 20, 2, 9];
/** Of the time in a picture. */
export const clockRange = 1 << 20;

/** FFmpeg's filter that leaves of each picture one byte for each bit of its clock. */
export const clockFilter = `crop=iw:ih*${rows}/${rowShare}:0:0,scale=${columns}:${rows}:flags=area,format=gray`;

export interface PictureClock {
  /** The picture's number at the source, which counts from 0 to 65535 and then from 0 again. -1: it cannot be read. */
  counter: number;
  /** When it was made, in milliseconds, of which the lowest 20 bits are known. */
  madeAt: number;
}

/** The clock of the picture at `index` of what the filter gave. */
export function readClock(filtered: Buffer, index: number): PictureClock {
  const light = filtered.subarray(index * bits, (index + 1) * bits);
  let code = 0n;
  for (const [bit, value] of light.entries()) if (value > 126) code |= 1n << BigInt(bit);
  const value = code >> 4n;
  let check = 5;
  for (let shift = 0n; shift <= 32n; shift += 4n) check ^= Number((value >> shift) & 15n);
  if (light.length < bits || check !== Number(code & 15n)) return { counter: -1, madeAt: 0 };
  return { counter: Number(value >> 20n), madeAt: Number(value & 0xfffffn) };
}

/** A difference of two times of which the lowest bits are known. */
export function clockDifference(ms: number): number {
  const half = clockRange / 2;
  return ((((ms + half) % clockRange) + clockRange) % clockRange) - half;
}

/** The clock in a screenshot of a page's last video element, and how long before the screenshot was asked for its picture was made. */
export async function clockOnScreen(page: Page): Promise<PictureClock & { ageMs: number }> {
  const video = page.locator('video').last();
  await video.evaluate((element) => element.setAttribute('style', 'width: 640px; height: 360px; object-fit: fill'));
  const askedAt = Date.now();
  const png = await video.screenshot();
  const output = ['-vf', clockFilter, '-frames:v', '1', '-f', 'rawvideo', '-'];
  const shown = readClock(execFileSync('/usr/bin/ffmpeg', ['-v', 'error', '-i', '-', ...output], { input: png }), 0);
  return { ...shown, ageMs: clockDifference(askedAt - shown.madeAt) };
}
