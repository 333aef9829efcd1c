import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOT_FORWARDED, PacketOrder } from './packet-order.ts';

const place = (order: PacketOrder, ...sequenceNumbers: number[]) =>
  sequenceNumbers.map((sequenceNumber) => order.place(sequenceNumber & 0xffff, false));

describe('PacketOrder', () => {
  it('numbers from 0, across the wrap', () => {
    expect(place(new PacketOrder(), 0xfffe, 0xffff, 0, 1)).toEqual([0, 1, 2, 3]);
  });

  it('keeps the gap of a lost packet and fills it when the packet comes late', () => {
    expect(place(new PacketOrder(), 10, 12, 13, 11)).toEqual([0, 2, 3, 1]);
  });

  it('tells duplicates, of the newest packet and of late ones', () => {
    expect(place(new PacketOrder(), 10, 10, 12, 11, 11)).toEqual([0, NOT_FORWARDED, 2, 1, NOT_FORWARDED]);
  });

  it('leaves no gap where padding was', () => {
    const order = new PacketOrder();
    expect(order.place(10, false)).toBe(0);
    expect(order.place(11, true)).toBe(NOT_FORWARDED);
    expect(order.place(12, true)).toBe(NOT_FORWARDED);
    expect(order.place(13, false)).toBe(1);
    expect(order.newest).toBe(1);
  });

  it('fills with late padding the gap that receivers have seen', () => {
    const order = new PacketOrder();
    order.place(10, false);
    order.place(12, false);
    expect(order.place(11, true)).toBe(1);
    expect(order.place(13, false)).toBe(3);
  });

  it('places a late packet by the padding before it, not by that after it', () => {
    const order = new PacketOrder();
    order.place(10, true);
    order.place(12, false);
    order.place(13, true);
    order.place(14, false);
    expect(order.place(11, false)).toBe(0);
    expect(order.newest).toBe(2);
  });

  it('drops what came before the first packet', () => {
    expect(place(new PacketOrder(), 10, 9)).toEqual([0, NOT_FORWARDED]);
  });

  it('takes a packet 1,023 behind the newest, not one 1,024 behind', () => {
    const order = new PacketOrder();
    place(order, 0);
    place(order, ...Array.from({ length: 3 }, (_, i) => 1_000 * (i + 1)));
    expect(place(order, 3_000 - 1_023)).toEqual([3_000 - 1_023]);
    expect(place(order, 3_000 - 1_024)).toEqual([NOT_FORWARDED]);
  });

  it('starts anew after a jump forward, one number left out', () => {
    expect(place(new PacketOrder(), 10, 11, 5_000, 5_001, 12)).toEqual([0, 1, 3, 4, NOT_FORWARDED]);
  });

  it('starts anew when two packets in a row come from far behind', () => {
    expect(place(new PacketOrder(), 30_000, 10_000, 10_001, 10_002)).toEqual([0, NOT_FORWARDED, 2, 3]);
  });

  it('starts anew with another source', () => {
    const order = new PacketOrder();
    place(order, 10, 11);
    order.changeSource();
    expect(place(order, 12, 13)).toEqual([3, 4]);
  });

  it('never gives a number twice, whatever comes', () => {
    const packet = fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 0xffff })),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 300 }), (packets) => {
        const order = new PacketOrder();
        const numbers = packets.map(([sequenceNumber, empty]) => order.place(sequenceNumber, empty));
        const given = numbers.filter((number) => number !== NOT_FORWARDED);
        expect(new Set(given).size).toBe(given.length);
        expect(given.every((number) => number >= 0 && number <= order.newest)).toBe(true);
      }),
    );
  });
});
