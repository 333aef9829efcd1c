import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Arn, formatArn, newResourceId, newSessionId, parseArn } from './ids.ts';
import { ResourceArn, StageSessionId } from './shapes/common.ts';
import { validate } from './validate.ts';

test('new ids have the form of AWS, and no two are equal', () => {
  const ids = new Set<string>();
  for (let i = 0; i < 2000; i += 1) {
    const id = newResourceId();
    expect(id).toMatch(/^[A-Za-z0-9]{12}$/);
    ids.add(id);
    expect(validate(StageSessionId, newSessionId())).toEqual([]);
  }
  expect(ids.size).toBe(2000);
});

test('all 62 characters come up, none far more often', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 5000; i += 1) for (const c of newResourceId()) counts.set(c, (counts.get(c) ?? 0) + 1);
  expect(counts.size).toBe(62);
  // 60,000 draws: the mean is 968 and six standard deviations are 185.
  for (const count of counts.values()) expect(Math.abs(count - 968)).toBeLessThan(185);
});

test('ARNs are read as they are written', () => {
  const arn = fc.record<Arn>({
    region: fc.stringMatching(/^[a-z]{2}-[a-z]{4,9}-\d$/),
    account: fc.stringMatching(/^\d{12}$/),
    type: fc.constantFrom(
      'stage',
      'composition',
      'encoder-configuration',
      'storage-configuration',
      'ingest-configuration',
      'public-key',
      'channel',
    ),
    id: fc.stringMatching(/^[A-Za-z0-9-]{1,40}$/),
  });
  fc.assert(
    fc.property(arn, (value) => {
      expect(parseArn(formatArn(value))).toEqual(value);
      expect(validate(ResourceArn, formatArn(value))).toEqual([]);
    }),
  );
});

test.each([
  '',
  'arn',
  'arn:aws:ivs:us-west-2:123456789012:stage/',
  'arn:aws:ivs:us-west-2:123456789012:stage/a/b',
  'arn:aws:ivs:us-west-2:123456789012:room/a',
  'arn:aws:ivs:us-west-2::stage/a',
  'arn:aws:s3:us-west-2:123456789012:stage/a',
  'arn:aws:ivs:us-west-2:123456789012:stage/../x',
  'arn:aws:ivs:us-west-2:123456789012:stage/a\n',
  `arn:aws:ivs:us-west-2:123456789012:stage/${'a'.repeat(129 - 41)}`,
])('%j is no ARN of ours', (text) => expect(parseArn(text)).toBeUndefined());

test('an ARN may have 128 characters', () => {
  expect(parseArn(`arn:aws:ivs:us-west-2:123456789012:stage/${'a'.repeat(128 - 41)}`)?.type).toBe('stage');
});
