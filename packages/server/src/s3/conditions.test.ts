import { describe, expect, it } from 'vitest';
import { isWanted, rangeOf } from './conditions.ts';

const facts = { size: 100, etag: '"e-1"', modified: new Date('2026-01-02T03:04:05Z') };
const same = facts.modified.toUTCString();
const earlier = new Date(facts.modified.getTime() - 1000).toUTCString();

describe('a range', () => {
  it.each([
    ['bytes=0-0', { from: 0, to: 0 }],
    ['bytes=0-99', { from: 0, to: 99 }],
    ['bytes=99-100', { from: 99, to: 99 }],
    ['bytes=50-', { from: 50, to: 99 }],
    ['bytes=-1', { from: 99, to: 99 }],
    ['bytes=-1000', { from: 0, to: 99 }],
  ])('%s', (range, expected) => expect(rangeOf({ range }, facts)).toEqual(expected));

  it.each(['bytes=', 'bytes=-', 'bytes=5-4', 'bytes=0-1,3-4', 'items=0-1', 'bytes=a-b', 'bytes=0x1-2'])(
    '%s is none, and the whole object is sent',
    (range) => expect(rangeOf({ range }, facts)).toBeUndefined(),
  );

  it.each(['bytes=100-', 'bytes=100-200', 'bytes=-0'])('%s is not satisfiable', (range) =>
    expect(() => rangeOf({ range }, facts)).toThrow('not satisfiable'),
  );

  it('of an object that has changed since is the whole object', () => {
    expect(rangeOf({ range: 'bytes=0-0', 'if-range': '"other"' }, facts)).toBeUndefined();
    expect(rangeOf({ range: 'bytes=0-0', 'if-range': facts.etag }, facts)).toEqual({ from: 0, to: 0 });
    expect(rangeOf({ range: 'bytes=0-0', 'if-range': same }, facts)).toEqual({ from: 0, to: 0 });
  });
});

describe('a condition', () => {
  it.each([
    [{}, true],
    [{ 'if-none-match': '"e-1"' }, false],
    [{ 'if-none-match': 'e-1' }, false],
    [{ 'if-none-match': 'W/"e-1", "x"' }, false],
    [{ 'if-none-match': '*' }, false],
    [{ 'if-none-match': '"x"' }, true],
    [{ 'if-modified-since': same }, false],
    [{ 'if-modified-since': earlier }, true],
    [{ 'if-modified-since': 'no date' }, true],
    [{ 'if-none-match': '"x"', 'if-modified-since': same }, true],
    [{ 'if-match': '"e-1"' }, true],
    [{ 'if-unmodified-since': same }, true],
    [{ 'if-match': '"e-1"', 'if-unmodified-since': earlier }, true],
  ])('%j', (headers, wanted) => expect(isWanted(headers, facts)).toBe(wanted));

  it.each([{ 'if-match': '"x"' }, { 'if-unmodified-since': earlier }])('%j does not hold', (headers) =>
    expect(() => isWanted(headers, facts)).toThrow('pre-conditions'),
  );
});
