import { describe, expect, it } from 'vitest';
import { codeOfDeviceError, codeOfStatus, explain } from './words.ts';

describe('words', () => {
  it('leave the first place to the server for a code that is not known', () => {
    expect(explain('NEW_CODE', 'It rains.').what).toBe('It rains.');
    expect(explain('NEW_CODE').what).toBe('The server refused: NEW_CODE.');
  });

  it('find a code for a status without one, and for a device that does not open', () => {
    expect([401, 404, 500, 502, 418].map(codeOfStatus)).toEqual([
      'TOKEN_INVALID',
      'PUBLISHER_NOT_FOUND',
      'INTERNAL',
      'INTERNAL',
      'HTTP 418',
    ]);
    const named = (name: string) => codeOfDeviceError(Object.assign(new Error(), { name }));
    expect(['NotAllowedError', 'NotReadableError', 'NotFoundError'].map(named)).toEqual([
      'DEVICE_DENIED',
      'DEVICE_BUSY',
      'DEVICE_NOT_FOUND',
    ]);
  });
});
