import { expect, it } from 'vitest';
import { Admission } from './admission.ts';
import { FailureSum } from './failure-sum.ts';
import { RTMP_LIMITS } from './limits.ts';

const limits = { ...RTMP_LIMITS, halfOpen: 3, connections: 4, connectionsPerAddress: 2 };

it('lets three be half open, and the oldest go for a fourth', () => {
  const admission = new Admission<string>(limits);
  expect(['a', 'b', 'c'].map((name) => admission.arrive(name))).toEqual([undefined, undefined, undefined]);
  expect(admission.arrive('d')).toBe('a');
  admission.leave('a');
  expect([admission.halfOpen, admission.arrive('e')]).toEqual([3, 'b']);
});

it('admits four, two of one address', () => {
  const admission = new Admission<string>(limits);
  const admit = (name: string, address: string) => {
    admission.arrive(name);
    return admission.admit(name, address);
  };
  expect([admit('a', 'x'), admit('b', 'x')]).toEqual([undefined, undefined]);
  expect(admit('c', 'x')).toBe('more than 2 RTMP connections of one address');
  expect([admit('d', 'y'), admit('e', 'z')]).toEqual([undefined, undefined]);
  expect(admit('f', 'w')).toBe('more than 4 RTMP connections');
  expect([admission.admitted, admission.halfOpen]).toEqual([4, 0]);
  admission.leave('a');
  admission.leave('a');
  expect([admit('g', 'x'), admit('h', 'x')]).toEqual([undefined, 'more than 4 RTMP connections']);
});

it('sums failures up in one line', () => {
  const sum = new FailureSum();
  expect(sum.take()).toBeUndefined();
  for (const reason of ['late', 'early', 'late']) sum.add(reason);
  expect(sum.take()).toBe('late: 2, early: 1');
  expect(sum.take()).toBeUndefined();
  for (let i = 0; i < 20; i++) sum.add(`reason ${i}`);
  sum.add('reason 15');
  expect(sum.take()).toMatch(/reason 15: 2, other: 4$/);
});
