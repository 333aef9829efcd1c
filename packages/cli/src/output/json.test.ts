import { operations, shapeOf } from '@footlights/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimestampFormat } from '../config.ts';
import { Float } from '../python.ts';
import { arrange } from './arrange.ts';
import { formatJson } from './json.ts';

describe('json', () => {
  it('has four spaces a level, raw non-ASCII and compact empty values', () => {
    expect(formatJson({ a: [], b: {}, c: ['é\u2028', 1, true, null], d: { e: '\u0001"' } })).toBe(
      '{\n    "a": [],\n    "b": {},\n    "c": [\n        "é\u2028",\n        1,\n        true,\n        null\n    ],\n    "d": {\n        "e": "\\u0001\\""\n    }\n}\n',
    );
  });

  it('says the same as JSON.stringify for any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(formatJson(value)).toBe(`${JSON.stringify(value, null, 4)}\n`);
      }),
    );
  });
});

describe('the answer as it is shown', () => {
  const session = (startTime: unknown, format: TimestampFormat = 'iso8601') =>
    arrange(shapeOf(operations.GetStageSession.output), { stageSession: { startTime } }, format);

  it.each<[unknown, unknown]>([
    ['2023-04-26T20:30:34Z', '2023-04-26T20:30:34+00:00'],
    ['2023-04-26T20:30:34.5Z', '2023-04-26T20:30:34.500000+00:00'],
    ['2023-04-26T20:30:34.123456789Z', '2023-04-26T20:30:34.123456+00:00'],
    ['2023-04-26T20:30:34.000Z', '2023-04-26T20:30:34+00:00'],
    ['2023-04-26T20:30:34+02:00', '2023-04-26T20:30:34+02:00'],
    [1680648100.25, '2023-04-04T22:41:40.250000+00:00'],
    [1680648100, '2023-04-04T22:41:40+00:00'],
    ['not a time', 'not a time'],
  ])('time %j', (wire, shown) => {
    expect(session(wire)).toEqual({ stageSession: { startTime: shown } });
    expect(session(wire, 'wire')).toEqual({ stageSession: { startTime: wire } });
  });

  it('keeps to the order of the model, and drops nulls and unknown members', () => {
    const wire = { stage: { tags: { z: '', a: '' }, bogus: 1, activeSessionId: null, name: 'n', arn: 'a' }, more: 1 };
    const shown = arrange(shapeOf(operations.GetStage.output), wire, 'iso8601');
    expect(JSON.stringify(shown)).toBe('{"stage":{"arn":"a","name":"n","tags":{"z":"","a":""}}}');
  });

  it.each([
    [30, '30'],
    [new Float(30), '30.0'],
    [new Float(29.97), '29.97'],
  ])('prints %o as it came', (framerate, text) => {
    const wire = { encoderConfiguration: { arn: 'a', video: { framerate } } };
    const shown = formatJson(arrange(shapeOf(operations.GetEncoderConfiguration.output), wire, 'iso8601'));
    expect(shown).toContain(`"framerate": ${text}\n`);
  });
});
