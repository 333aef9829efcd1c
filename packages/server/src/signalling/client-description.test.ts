import { expect, test } from 'vitest';
import { describeClient } from './client-description.ts';

const chromium =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';

test('names the browser, its system and the SDK', () => {
  expect(describeClient({ 'user-agent': chromium, 'x-stages-sdk': '1.41.0' })).toEqual({
    browserName: 'Chrome',
    browserVersion: '156.0.0.0',
    osName: 'Linux',
    sdkVersion: '1.41.0',
  });
});

test('names a client that is no browser by its product token', () => {
  expect(describeClient({ 'user-agent': 'OBS-Studio/31.0' })).toMatchObject({
    browserName: 'OBS-Studio',
    browserVersion: '31.0',
  });
  const compatible = { 'user-agent': 'Mozilla/5.0 (compatible; OBS-Studio/31.0; Linux x86_64; en-US)' };
  expect(describeClient(compatible)).toEqual({ browserName: 'OBS-Studio', browserVersion: '31.0', osName: 'Linux' });
  expect(describeClient({ 'user-agent': 'Python/3.11 aiohttp/3.8.4' })).toMatchObject({ browserName: 'Python' });
  expect(describeClient({})).toEqual({});
});

test('keeps to what the API admits: its characters, and 128 of them', () => {
  const description = describeClient({
    'user-agent': 'x'.repeat(5000),
    'x-stages-sdk': `<b>\u{1F600}${'1'.repeat(200)}`,
  });
  expect(description.sdkVersion).toBe(`b${'1'.repeat(127)}`);
  expect(description.browserName?.length ?? 0).toBeLessThanOrEqual(128);
});
