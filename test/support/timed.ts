import type { TestOptions } from 'vitest';

/**
 * Options of a test that measures pictures in real time. Browsers, encoders and servers share the machine with whatever else
 * runs on it: once in a while it holds all of them up for longer than the test allows. A defect of the server does not go
 * away when the test is done again.
 */
export const timed = { retry: 4 } satisfies TestOptions;
