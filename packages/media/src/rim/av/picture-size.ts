export interface Size {
  width: number;
  height: number;
}

/** The largest picture that viewers of a stage get, lying or standing (720p). */
export const MAX_PICTURE: Size = { width: 1_280, height: 720 };

/** Pixels whose shape is further from a square are taken for square ones: nobody records them, damaged headers do. */
const MAX_PIXEL_ASPECT = 4;

/**
 * The size that shows `width` by `height` with square pixels, within `max` turned as the picture is, with even sides, never larger than it is.
 * `pixelAspect` is a pixel's width by its height.
 */
export function fitPicture({ width, height }: Size, pixelAspect = 1, max: Size = MAX_PICTURE): Size {
  const believed = pixelAspect >= 1 / MAX_PIXEL_ASPECT && pixelAspect <= MAX_PIXEL_ASPECT ? pixelAspect : 1;
  // The side that a pixel's shape makes longer would grow: the other one shrinks instead.
  const shown = believed >= 1 ? { width, height: height / believed } : { width: width * believed, height };
  const [long, short] = [Math.max(max.width, max.height), Math.min(max.width, max.height)];
  const lying = shown.width >= shown.height;
  const scale = Math.min(1, (lying ? long : short) / shown.width, (lying ? short : long) / shown.height);
  return { width: even(shown.width * scale), height: even(shown.height * scale) };
}

const even = (side: number): number => Math.max(2, Math.round(side / 2) * 2);
