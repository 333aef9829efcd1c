import { describe, expect, it } from 'vitest';
import { explain } from './pages/words.ts';
import { refusalStatus } from './signalling/refusal.ts';

describe('the pages', () => {
  /** What our own pages can never cause. */
  const ofOtherClients = [
    'RESOURCE_NOT_FOUND',
    'METHOD_NOT_ALLOWED',
    'PRECONDITION_FAILED',
    'UNSUPPORTED_MEDIA_TYPE',
    'ICE_RESTART_UNSUPPORTED',
    'INVALID_FRAGMENT',
    'INVALID_LAYER',
    'TOKEN_EXCHANGE_REFUSED',
    'INVALID_STREAM_KEY',
    'INVALID_PROTOCOL',
    'REUSE_OF_STREAM_KEY',
  ];
  const codes = Object.keys(refusalStatus).filter((code) => !ofOtherClients.includes(code));

  it.each(codes)('say what %s means and what to do next', (code) => {
    const { what, next } = explain(code, 'the message');
    expect(what).not.toContain('the message');
    expect([what, next]).toEqual([expect.stringMatching(/\.$/), expect.stringMatching(/\.$/)]);
  });
});
