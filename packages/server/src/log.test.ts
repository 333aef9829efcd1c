import { describe, expect, it } from 'vitest';
import { createLog } from './log.ts';

function collect(terminal: boolean, level: 'info' | 'debug' | 'silent' = 'info') {
  const lines: string[] = [];
  const log = createLog({ level, terminal, output: { write: (line: string) => void lines.push(line) } });
  return { log, lines };
}

describe('createLog', () => {
  it('writes one JSON object per line', () => {
    const { log, lines } = collect(false);
    log.warn({ stageArn: 'arn' }, 'two\nlines');
    log.debug('below the level');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      level: 'warn',
      stageArn: 'arn',
      msg: 'two\nlines',
    });
  });

  it('writes short lines for people', () => {
    const { log, lines } = collect(true);
    log.info({ port: 7070, url: 'http://a/b', name: 'a b' }, 'listening');
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} info {2}listening {2}port=7070 {2}url=http:\/\/a\/b {2}name="a b"\n$/,
    );
  });

  it('shows stacks to people, and no control characters of clients', () => {
    const { log, lines } = collect(true);
    log.error({ err: new Error('broke\u001b[2J'), userId: '\u001b]0;x\u0007' }, 'failed\r');
    expect(lines[0]).toMatch(/^\S+ error failed\\x0d {2}userId=".*"\n {4}Error: broke\\x1b\[2J\n {4}/);
    expect(lines[0]).not.toContain('\u001b');
  });

  it.each([true, false])('masks secrets (terminal: %s)', (terminal) => {
    const { log, lines } = collect(terminal);
    const secret = 'hunter2';
    log.info(
      { token: secret, headers: { authorization: secret }, request: { headers: { authorization: secret } } },
      'x',
    );
    log.info({ key: { secretAccessKey: secret, privateKey: secret }, streamKey: secret }, 'y');
    expect(lines.join('')).not.toContain(secret);
    expect(lines.join('')).toContain('[secret]');
  });

  it('can be silent', () => {
    const { log, lines } = collect(false, 'silent');
    log.fatal('nothing');
    expect(lines).toEqual([]);
  });
});
