import { describe, expect, it } from 'vitest';
import { limits, parse } from './index.ts';

const base = 'v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\n';
const video = `${base}m=video 9 UDP/TLS/RTP/SAVPF 96 97\n`;
const times = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join('');
const errorOf = (text: string) => {
  const result = parse(text);
  return 'error' in result ? result.error : undefined;
};

describe('limits', () => {
  it('of the text: 64 KiB, counted in UTF-8', () => {
    const filled = (bytes: number) => {
      const lines = base + times(limits.textBytes / 2048 - 1, () => `i=${'x'.repeat(2045)}\n`);
      return `${lines}i=${'é'.repeat(10)}${'x'.repeat(bytes - lines.length - 23)}\n`;
    };
    expect(errorOf(filled(65_536))).toBeUndefined();
    expect(errorOf(filled(65_537))).toBe('text longer than 65536 bytes');
  });

  it('of a line: 2048 characters', () => {
    expect(errorOf(`${base}i=${'x'.repeat(2046)}\r\n`)).toBeUndefined();
    expect(errorOf(`${base}i=${'x'.repeat(2047)}\r\n`)).toBe('line 5: longer than 2048 characters');
  });

  it.each<[name: string, limit: number, error: string, text: (count: number) => string]>([
    ['m-lines', 32, 'more than 32 m-lines', (n) => base + times(n, () => 'm=video 9 RTP/AVP 96\n')],
    [
      'formats',
      256,
      'more than 256 formats in one m-line',
      (n) => `${base}m=application 9 X${times(n, (i) => ` ${i}`)}\n`,
    ],
    ['extmaps', 64, 'more than 64 extmaps in one m-line', (n) => video + times(n, (i) => `a=extmap:${i + 1} urn:x\n`)],
    ['rtcp-fb', 32, 'more than 32 rtcp-fb of one payload', (n) => video + times(n, () => 'a=rtcp-fb:* nack\n')],
    ['SSRCs', 64, 'more than 64 SSRCs in one m-line', (n) => video + times(n, (i) => `a=ssrc:${i} cname:x\n`)],
    ['SSRC attributes', 64, 'more than 64 attributes of one SSRC', (n) => video + times(n, (i) => `a=ssrc:1 x${i}\n`)],
    [
      'ssrc-groups',
      64,
      'more than 64 ssrc-groups in one m-line',
      (n) => video + times(n, () => 'a=ssrc-group:FID 1\n'),
    ],
    ['a group', 64, 'more than 64 SSRCs in one ssrc-group', (n) => `${video}a=ssrc-group:FID${times(n, () => ' 1')}\n`],
    ['rids', 64, 'more than 64 rids in one m-line', (n) => video + times(n, (i) => `a=rid:${i} send\n`)],
    ['msids', 64, 'more than 64 msids in one m-line', (n) => video + times(n, () => 'a=msid:a\n')],
    [
      'simulcast',
      64,
      'more than 64 simulcast streams',
      (n) => `${video}a=simulcast:send a${times(n - 1, () => ';a')}\n`,
    ],
    [
      'candidates',
      64,
      'more than 64 candidates',
      (n) => video + times(n, () => 'a=candidate:1 1 udp 1 127.0.0.1 9 typ host\n'),
    ],
    ['fingerprints', 64, 'more than 64 fingerprints', (n) => video + times(n, () => 'a=fingerprint:sha-256 AA\n')],
    ['bandwidths', 64, 'more than 64 bandwidths in one m-line', (n) => video + times(n, () => 'b=AS:1\n')],
    ['ice-options', 64, 'more than 64 ice-options', (n) => video + times(n, () => 'a=ice-options:x\n')],
    ['groups', 64, 'more than 64 groups', (n) => base + times(n, () => 'a=group:BUNDLE 0\n')],
    ['mids', 64, 'more than 64 mids in one group', (n) => `${base}a=group:BUNDLE${times(n, () => ' 0')}\n`],
  ])('of %s: %i', (_, limit, error, text) => {
    expect(errorOf(text(limit))).toBeUndefined();
    expect(errorOf(text(limit + 1))).toContain(error);
  });
});
