import { describe, expect, it } from 'vitest';
import { leastLoaded, type Place, placeSubscriber } from './placement.ts';

const place = (index: number, cpu = 0, more: Partial<Place> = {}): Place => ({
  index,
  cpu,
  joins: 0,
  connections: 0,
  ...more,
});

describe('leastLoaded', () => {
  it('goes by the processor time used, whatever the number of connections', () => {
    const places = [place(0, 0.6, { connections: 1 }), place(1, 0.2, { connections: 500 })];
    expect(leastLoaded(places)?.index).toBe(1);
  });

  it('counts what was given since that was measured', () => {
    expect(leastLoaded([place(0, 0, { joins: 50 }), place(1, 0.1)])?.index).toBe(1);
  });

  it('takes turns among idle ones', () => {
    expect(leastLoaded([place(0, 0, { connections: 1 }), place(1)])?.index).toBe(1);
    expect(leastLoaded([])).toBeUndefined();
  });
});

describe('placeSubscriber', () => {
  const nobody = () => false;

  it('keeps to the publisher’s worker while that has room', () => {
    const home = place(0, 0.69);
    expect(placeSubscriber(home, [home, place(1)], nobody)).toBe(home);
  });

  it('goes to the idlest when it has none', () => {
    const home = place(0, 0.7);
    expect(placeSubscriber(home, [home, place(1, 0.5), place(2, 0.1)], nobody).index).toBe(2);
  });

  it('rather goes where the publisher is received already', () => {
    const home = place(0, 0.9);
    const places = [home, place(1, 0.5), place(2, 0.1)];
    expect(placeSubscriber(home, places, ({ index }) => index === 1).index).toBe(1);
  });

  it('stays at home when all are busy', () => {
    const home = place(0, 0.9);
    expect(placeSubscriber(home, [home, place(1, 0.8)], nobody)).toBe(home);
  });

  it('spreads a storm of joins before any load is measured', () => {
    const places = [place(0), place(1), place(2)].map((one) => ({ ...one }));
    const home = places[0]!;
    const counts = [0, 0, 0];
    for (let join = 0; join < 400; join++) {
      const chosen = placeSubscriber(home, places, nobody);
      Object.assign(chosen, { joins: chosen.joins + 1, connections: chosen.connections + 1 });
      counts[chosen.index]! += 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(80);
  });
});
