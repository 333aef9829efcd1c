import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Candidate, parseCandidate, writeCandidate } from './index.ts';

it.each([
  '1 1 UDP 2114977791 127.0.0.1 41624 typ host',
  '842163049 1 udp 1677729535 203.0.113.7 49203 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-cost 999',
  'a+/ 256 tcp 4294967295 2001:db8::1 65535 typ host tcptype passive',
  '1 1 udp 2113937151 0b2a.local 0 typ host',
])('reads and writes "%s"', (line) => {
  expect(writeCandidate(parseCandidate(line)!)).toBe(line);
  expect(parseCandidate(`candidate:${line}`)).toEqual(parseCandidate(line));
});

it.each([
  '',
  '1 1 udp 1 127.0.0.1 1 typ',
  '1 1 udp 1 127.0.0.1 1 host',
  '1 0 udp 1 127.0.0.1 1 typ host',
  '1 257 udp 1 127.0.0.1 1 typ host',
  '1 1 udp 4294967296 127.0.0.1 1 typ host',
  '1 1 udp -1 127.0.0.1 1 typ host',
  '1 1 udp 1 127.0.0.1 65536 typ host',
  '1 1 udp 1 127.0.0.1 1 typ host raddr',
  '1 1 udp 1 127.0.0.1 1 typ srflx raddr ::1 rport x',
  '! 1 udp 1 127.0.0.1 1 typ host',
  `${'1'.repeat(33)} 1 udp 1 127.0.0.1 1 typ host`,
])('refuses "%s"', (line) => {
  expect(parseCandidate(line)).toBeUndefined();
});

it('reads back what it wrote', () => {
  const word = fc.stringMatching(/^[a-z0-9.:-]{1,20}$/);
  const candidate: fc.Arbitrary<Candidate> = fc.record(
    {
      foundation: fc.stringMatching(/^[A-Za-z0-9+/]{1,32}$/),
      component: fc.integer({ min: 1, max: 256 }),
      transport: fc.constantFrom('udp', 'UDP', 'tcp'),
      priority: fc.nat(0xffffffff),
      address: word,
      port: fc.nat(0xffff),
      type: fc.constantFrom('host', 'srflx', 'prflx', 'relay'),
      relatedAddress: word,
      relatedPort: fc.nat(0xffff),
      extensions: fc.array(
        fc.record({ name: word.filter((name) => name !== 'raddr' && name !== 'rport'), value: word }),
        { maxLength: 4 },
      ),
    },
    { requiredKeys: ['foundation', 'component', 'transport', 'priority', 'address', 'port', 'type', 'extensions'] },
  );
  fc.assert(
    fc.property(candidate, (value) => {
      expect(parseCandidate(writeCandidate(value))).toEqual(value);
    }),
  );
});
