import { describe, expect, test } from 'vitest';
import { hasIntegrity, isStun, MAX_USERNAME, parse, writeBindingSuccess } from './stun.ts';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');
const password = 'VOkJxbRl1RmTxUk/WvJxBt';
const transactionId = hex('b7e7a701bc34d686fa87dfae');

/** RFC 5769 section 2.1. */
const sampleRequest = hex(`000100582112a442b7e7a701bc34d686fa87dfae
  802200105354554e207465737420636c69656e74 002400046e0001ff 80290008932ff9b151263b36
  00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004e57a3bcf`);

/** RFC 5769 sections 2.2 and 2.3. */
const sampleResponses = {
  IPv4: hex(`0101003c2112a442b7e7a701bc34d686fa87dfae 8022000b7465737420766563746f7220 002000080001a147e112a643
    000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96`),
  IPv6: hex(`010100482112a442b7e7a701bc34d686fa87dfae 8022000b7465737420766563746f7220
    002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9 00080014a382954e4be67bf11784c97c8292c275bfe3ed41 80280004c8fb0b4c`),
};

test("RFC 5769's request is read, and is that of its password alone", () => {
  expect(isStun(sampleRequest)).toBe(true);
  expect(parse(sampleRequest)).toEqual({ class: 'request', transactionId, username: 'evtj:h6vY' });
  expect(hasIntegrity(sampleRequest, password)).toBe(true);
  expect(hasIntegrity(sampleRequest, `${password}x`)).toBe(false);
  const changed = Buffer.from(sampleRequest);
  changed[50]! ^= 1;
  expect(hasIntegrity(changed, password)).toBe(false);
});

describe.each([
  ['IPv4', '192.0.2.1'],
  ['IPv6', '2001:db8:1234:5678:11:2233:4455:6677'],
] as const)('a response to an address of %s', (family, address) => {
  const sample = sampleResponses[family];
  const written = writeBindingSuccess(transactionId, address, 32_853, password);

  test('carries the address as RFC 5769 has it', () => {
    expect(parse(sample)).toEqual({ class: 'success', transactionId });
    const length = family === 'IPv4' ? 12 : 24;
    expect(written.includes(sample.subarray(36, 36 + length))).toBe(true);
  });

  test('is read, authentic, and as long as it says', () => {
    expect(parse(written)).toEqual({ class: 'success', transactionId });
    expect(hasIntegrity(written, password)).toBe(true);
    expect(hasIntegrity(sample, password)).toBe(true);
    expect(written.readUInt16BE(2)).toBe(written.length - 20);
  });
});

test.each([
  ['::1', '00000000000000000000000000000001'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001'],
  ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
])('%s is 16 bytes', (address, expected) => {
  const written = writeBindingSuccess(transactionId, address, 1, password);
  const bytes = Buffer.from(written.subarray(28, 44).map((byte, index) => byte ^ written[4 + index]!));
  expect(bytes.toString('hex')).toBe(expected);
});

test.each([
  ['one byte less', sampleRequest.subarray(0, -1)],
  ['one word less', sampleRequest.subarray(0, -4)],
  ['DTLS', hex(`16fefd${'00'.repeat(40)}`)],
  ['an attribute that ends outside', hex('000100042112a442b7e7a701bc34d686fa87dfae00060008')],
  ['an indication', hex('001100002112a442b7e7a701bc34d686fa87dfae')],
])('%s is no binding message', (_, bytes) => {
  expect(parse(bytes)).toBeUndefined();
  expect(hasIntegrity(bytes, password)).toBe(false);
});

test.each([
  [MAX_USERNAME, true],
  [MAX_USERNAME + 4, false],
])('a username of %i bytes', (length, isRead) => {
  const head = hex('00010000 2112a442 b7e7a701bc34d686fa87dfae 00060000');
  head.writeUInt16BE(4 + length, 2);
  head.writeUInt16BE(length, 22);
  expect(parse(Buffer.concat([head, Buffer.alloc(length, 'a')])) !== undefined).toBe(isRead);
});
