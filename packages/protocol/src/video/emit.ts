/** Fewest and most bytes that packetizers may be told to put into a payload. */
export const MIN_PAYLOAD = 64;
export const MAX_PAYLOAD = 65_535;

/** `payload` is valid until the function returns; `last` is the last payload of the picture, whose packet has the marker. */
export type EmitPayload = (payload: Buffer, last: boolean) => void;

/** Throws a RangeError unless payloads of `maxPayload` bytes can be made. */
export function requireMaxPayload(maxPayload: number): void {
  if (maxPayload >= MIN_PAYLOAD && maxPayload <= MAX_PAYLOAD) return;
  throw new RangeError(`a payload has ${MIN_PAYLOAD} to ${MAX_PAYLOAD} bytes, not ${maxPayload}`);
}
