import { describe, expect, it } from 'vitest';
import { KeyFrameRequests } from './key-frames.ts';

function counted() {
  const sent = { count: 0 };
  const requests = new KeyFrameRequests(() => {
    sent.count += 1;
  });
  return { sent, requests };
}

describe('KeyFrameRequests', () => {
  it('sends the first request at once', () => {
    const { sent, requests } = counted();
    requests.request(0);
    expect(sent.count).toBe(1);
  });

  it('defers a request that comes within 500 ms, and sends it once', () => {
    const { sent, requests } = counted();
    requests.request(0);
    requests.request(10);
    requests.request(499);
    requests.tick(499);
    expect(sent.count).toBe(1);
    requests.tick(500);
    requests.tick(520);
    expect(sent.count).toBe(2);
  });

  it('sends at once again after 500 ms', () => {
    const { sent, requests } = counted();
    requests.request(0);
    requests.request(500);
    expect(sent.count).toBe(2);
  });

  it('drops a deferred request when a key frame comes first', () => {
    const { sent, requests } = counted();
    requests.request(0);
    requests.request(10);
    requests.arrived();
    requests.tick(1_000);
    expect(sent.count).toBe(1);
  });
});
