import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyText } from './inputs.testing.ts';
import { MAX_CLIENT_MESSAGE_LENGTH, MAX_MESSAGE_ID_LENGTH, MAX_TOKEN_LENGTH, parseClientMessage } from './signal.ts';

const parse = (value: unknown) => parseClientMessage(JSON.stringify(value));

test('the three messages of clients', () => {
  expect(parse({ type: 'PING' })).toEqual({ type: 'PING' });
  expect(parse({ type: 'SET_STATE', version: '0', audioMuted: true, videoStopped: false })).toEqual({
    type: 'SET_STATE',
    audioMuted: true,
    videoStopped: false,
  });
  expect(parse({ type: 'SET_STATE', audioMuted: null })).toEqual({ type: 'SET_STATE' });
  const exchange = {
    type: 'aws:ivs:EXCHANGE_TOKEN',
    payload: { oldToken: 'a', newToken: 'b', requestId: 'c', traceId: 'd' },
  };
  expect(parse(exchange)).toEqual(exchange);
  const { traceId: _, ...payload } = exchange.payload;
  expect(parse({ ...exchange, payload })).toEqual({ ...exchange, payload });
});

test('an unknown type is named, cut to 64 characters', () => {
  expect(parse({ type: 'x'.repeat(65) })).toEqual({ type: 'unknown', name: 'x'.repeat(64) });
  expect(parse({ type: 'constructor' })).toEqual({ type: 'unknown', name: 'constructor' });
  expect(parse({ type: 'unknown' })).toEqual({ type: 'unknown', name: 'unknown' });
});

test.each([
  '',
  'PING',
  '[]',
  'null',
  '{}',
  '{"type":1}',
  '{"type":"SET_STATE","audioMuted":"yes"}',
  '{"type":"SET_STATE","videoStopped":0}',
  '{"type":"aws:ivs:EXCHANGE_TOKEN"}',
  '{"type":"aws:ivs:EXCHANGE_TOKEN","payload":{"oldToken":"a","newToken":"b"}}',
  '{"type":"aws:ivs:EXCHANGE_TOKEN","payload":{"oldToken":1,"newToken":"b","requestId":"c"}}',
])('%s is refused', (text) => expect(parseClientMessage(text)).toBeUndefined());

test('limits at their edges', () => {
  const ping = JSON.stringify({ type: 'PING' });
  expect(parseClientMessage(ping.padEnd(MAX_CLIENT_MESSAGE_LENGTH))).toEqual({ type: 'PING' });
  expect(parseClientMessage(ping.padEnd(MAX_CLIENT_MESSAGE_LENGTH + 1))).toBeUndefined();
  const exchange = (token: number, id: number) =>
    parse({
      type: 'aws:ivs:EXCHANGE_TOKEN',
      payload: { oldToken: 'a'.repeat(token), newToken: 'b', requestId: 'c'.repeat(id) },
    });
  expect(exchange(MAX_TOKEN_LENGTH, MAX_MESSAGE_ID_LENGTH)).toBeDefined();
  expect(exchange(MAX_TOKEN_LENGTH + 1, 1)).toBeUndefined();
  expect(exchange(1, MAX_MESSAGE_ID_LENGTH + 1)).toBeUndefined();
});

test('any text is read or refused, never thrown at', () => {
  fc.assert(fc.property(anyText, (text) => parseClientMessage(text) === undefined));
  fc.assert(
    fc.property(
      fc.constantFrom('PING', 'SET_STATE', 'aws:ivs:EXCHANGE_TOKEN'),
      fc.jsonValue(),
      fc.jsonValue(),
      (type, payload, audioMuted) => {
        parse({ type, payload, audioMuted });
      },
    ),
  );
});
