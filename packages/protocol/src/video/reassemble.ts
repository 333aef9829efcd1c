import { leb128, leb128Length } from '../av1/leb128.ts';
import { FU_END, FU_START, nalType, TYPE } from '../h264/nal.ts';

/** What packetizers took apart, put together again: the witness of their tests. Throws on payloads that no packetizer makes. */

/** NAL units of single NAL unit packets, STAP-As and FU-As. */
export function nalUnitsOf(payloads: readonly Buffer[]): Buffer[] {
  const units: Buffer[] = [];
  let fragments: Buffer[] = [];
  for (const payload of payloads) {
    const type = payload[0]! & TYPE;
    if (type === nalType.stapA) units.push(...aggregated(payload));
    else if (type !== nalType.fuA) units.push(payload);
    else {
      const header = payload[1]!;
      if (header & FU_START) fragments = [Buffer.from([(payload[0]! & ~TYPE) | (header & TYPE)])];
      fragments.push(payload.subarray(2));
      if (header & FU_END) units.push(Buffer.concat(fragments));
    }
  }
  return units;
}

function aggregated(payload: Buffer): Buffer[] {
  const units: Buffer[] = [];
  for (let at = 1; at < payload.length; ) {
    const next = at + 2 + payload.readUInt16BE(at);
    units.push(payload.subarray(at + 2, next));
    at = next;
  }
  return units;
}

/** OBUs, without their sizes, of the payloads of one temporal unit. */
export function obusOf(payloads: readonly Buffer[]): Buffer[] {
  const obus: Buffer[] = [];
  for (const payload of payloads) {
    const elements = elementsOf(payload);
    const continued = payload[0]! >= 0x80 ? elements.shift() : undefined;
    if (continued) obus.push(Buffer.concat([obus.pop()!, continued]));
    obus.push(...elements);
  }
  return obus;
}

function elementsOf(payload: Buffer): Buffer[] {
  const count = (payload[0]! >> 4) & 0x03;
  const elements: Buffer[] = [];
  for (let at = 1; at < payload.length; ) {
    const last = elements.length + 1 === count;
    const sizeLength = last ? 0 : leb128Length(payload, at, payload.length);
    const start = at + sizeLength;
    at = last ? payload.length : start + leb128(payload, at, sizeLength);
    elements.push(payload.subarray(start, at));
  }
  return elements;
}
