import type { ByteWriter } from '../bytes.ts';
import type { TransportArrival, TransportFeedback } from './types.ts';

// Packet status symbols (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1.1). 3 is reserved.
const LOST = 0;
const SMALL_DELTA = 1;
const LARGE_DELTA = 2;

const MAX_RUN = 0x1fff;
const ONE_BIT_SYMBOLS = 14;
const TWO_BIT_SYMBOLS = 7;

/** Unit of a delta in milliseconds. */
export const DELTA_MS = 0.25;
/** Unit of the reference time in milliseconds. */
export const REFERENCE_MS = 64;

const symbolOf = (delta: number) => (delta >= 0 && delta <= 0xff ? SMALL_DELTA : LARGE_DELTA);

/**
 * Parses the feedback control information.
 *
 *     | base sequence number (16) | packet status count (16)      |
 *     | reference time (24)                | feedback count (8)   |
 *     | status chunks (16 each) ... | deltas (8 or 16 each) ...   |
 */
export function parseTransportFeedback(
  ssrcs: { senderSsrc: number; mediaSsrc: number },
  information: Buffer,
): TransportFeedback | undefined {
  if (information.length < 8) return undefined;
  const baseSequenceNumber = information.readUInt16BE(0);
  const statusCount = information.readUInt16BE(2);
  const statuses = parseStatuses(information, statusCount);
  const arrivals = statuses && parseDeltas(information, statuses, baseSequenceNumber);
  if (arrivals === undefined) return undefined;
  return {
    type: 'transport-cc',
    ...ssrcs,
    baseSequenceNumber,
    statusCount,
    referenceTime: information.readIntBE(4, 3),
    feedbackPacketCount: information[7]!,
    arrivals,
  };
}

interface Statuses {
  /** Index and symbol of the packets that arrived; never more than there can be delta bytes. */
  arrived: { index: number; symbol: number }[];
  /** Where the deltas begin. */
  end: number;
}

/**
 * Reads the status chunks:
 *
 *     |0| symbol (2) | run length (13)     |  run length chunk
 *     |1|0| 14 symbols of 1 bit            |  status vector
 *     |1|1| 7 symbols of 2 bits            |  status vector
 */
function parseStatuses(information: Buffer, statusCount: number): Statuses | undefined {
  const arrived: Statuses['arrived'] = [];
  let at = 8;
  for (let index = 0; index < statusCount; at += 2) {
    if (at + 2 > information.length) return undefined;
    const chunk = information.readUInt16BE(at);
    const length = Math.min(chunkLength(chunk), statusCount - index);
    for (let i = 0; i < length; i++) {
      const symbol = chunkSymbol(chunk, i);
      if (symbol === LOST) {
        if (chunk < 0x8000) break;
        continue;
      }
      // Each arrival needs a delta byte, which bounds the list by the packet's own size.
      if (symbol > LARGE_DELTA || arrived.length === information.length) return undefined;
      arrived.push({ index: index + i, symbol });
    }
    if (length === 0) return undefined;
    index += length;
  }
  return { arrived, end: at };
}

function chunkLength(chunk: number): number {
  if (chunk < 0x8000) return chunk & MAX_RUN;
  return chunk & 0x4000 ? TWO_BIT_SYMBOLS : ONE_BIT_SYMBOLS;
}

function chunkSymbol(chunk: number, index: number): number {
  if (chunk < 0x8000) return chunk >> 13;
  return chunk & 0x4000 ? (chunk >> (12 - 2 * index)) & 3 : (chunk >> (13 - index)) & 1;
}

function parseDeltas(information: Buffer, { arrived, end }: Statuses, base: number): TransportArrival[] | undefined {
  let at = end;
  const arrivals: TransportArrival[] = [];
  for (const { index, symbol } of arrived) {
    if (at + symbol > information.length) return undefined;
    const delta = symbol === SMALL_DELTA ? information[at]! : information.readInt16BE(at);
    arrivals.push({ sequenceNumber: (base + index) & 0xffff, delta });
    at += symbol;
  }
  return arrivals;
}

/** When each reported packet arrived, in milliseconds of the receiver's clock modulo 2^24 * 64 ms. */
export function transportArrivalTimes(feedback: TransportFeedback): { sequenceNumber: number; arrivalMs: number }[] {
  let ticks = (feedback.referenceTime * REFERENCE_MS) / DELTA_MS;
  return feedback.arrivals.map(({ sequenceNumber, delta }) => {
    ticks += delta;
    return { sequenceNumber, arrivalMs: ticks * DELTA_MS };
  });
}

/**
 * Writes the feedback control information. Chunks are chosen greedily, as libwebrtc chooses them, so that its packets
 * come out byte for byte: a run as long as it can be, else 14 small symbols, else 7 of any kind.
 */
export function writeTransportFeedback(writer: ByteWriter, feedback: TransportFeedback): void {
  const { baseSequenceNumber, statusCount, referenceTime, feedbackPacketCount, arrivals } = feedback;
  writer.uint16(baseSequenceNumber);
  writer.uint16(statusCount);
  writer.uint24(referenceTime);
  writer.uint8(feedbackPacketCount);
  const symbols = new Uint8Array(statusCount);
  for (const { sequenceNumber, delta } of arrivals) {
    symbols[(sequenceNumber - baseSequenceNumber) & 0xffff] = symbolOf(delta);
  }
  for (let at = 0; at < statusCount; ) at += writeChunk(writer, symbols, at);
  for (const { delta } of arrivals) {
    if (symbolOf(delta) === SMALL_DELTA) writer.uint8(delta);
    else writer.uint16(delta);
  }
}

/** Writes the chunk for the symbols from `at`; returns how many it covers. */
function writeChunk(writer: ByteWriter, symbols: Uint8Array, at: number): number {
  const left = symbols.length - at;
  const run = runLength(symbols, at);
  const breaksSmall = symbols[at] === LARGE_DELTA || symbols[at + run] === LARGE_DELTA;
  if (run === left || run >= ONE_BIT_SYMBOLS || (run >= TWO_BIT_SYMBOLS && breaksSmall)) {
    writer.uint16((symbols[at]! << 13) | run);
    return run;
  }
  const small = !symbols.subarray(at, at + ONE_BIT_SYMBOLS).includes(LARGE_DELTA);
  if (small && left > TWO_BIT_SYMBOLS) return writeVector(writer, symbols, at, ONE_BIT_SYMBOLS);
  return writeVector(writer, symbols, at, TWO_BIT_SYMBOLS);
}

function runLength(symbols: Uint8Array, at: number): number {
  const limit = Math.min(symbols.length - at, MAX_RUN);
  let run = 1;
  while (run < limit && symbols[at + run] === symbols[at]) run++;
  return run;
}

function writeVector(writer: ByteWriter, symbols: Uint8Array, at: number, capacity: number): number {
  const bits = 14 / capacity;
  let chunk = capacity === ONE_BIT_SYMBOLS ? 0b10 : 0b11;
  for (let i = 0; i < capacity; i++) chunk = (chunk << bits) | (symbols[at + i] ?? LOST);
  writer.uint16(chunk);
  return Math.min(capacity, symbols.length - at);
}
