import { describe, expect, it } from 'vitest';
import { KeyFrameMessages, KeyFrameRequests } from './key-frames.ts';

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

/** A publisher with these sources; `moment` lets the moment end in which requests are gathered. */
function gathered() {
  const messages: string[][] = [];
  let end: (() => void) | undefined;
  const later = (run: () => void) => {
    end = run;
  };
  const moment = () => {
    end?.();
    end = undefined;
  };
  const source = (name: string) => ({ name, keyFrameAt: Number.NEGATIVE_INFINITY });
  const [low, mid, hi] = [source('low'), source('mid'), source('hi')];
  const send = (sources: (typeof low)[]) => messages.push(sources.map(({ name }) => name));
  return { keyFrames: new KeyFrameMessages(later, send), messages, moment, low, mid, hi };
}

describe('KeyFrameMessages', () => {
  it('sends what is asked for in one moment in one message', () => {
    const { keyFrames, messages, moment, low, hi } = gathered();
    keyFrames.request(hi, 0);
    keyFrames.request(low, 0);
    keyFrames.request(hi, 0);
    keyFrames.tick(0);
    expect(messages).toEqual([]);
    moment();
    expect(messages).toEqual([['hi', 'low']]);
  });

  it('sends what comes within 300 ms in one message more', () => {
    const { keyFrames, messages, moment, low, mid, hi } = gathered();
    keyFrames.request(hi, 0);
    moment();
    keyFrames.request(low, 10);
    moment();
    keyFrames.request(mid, 290);
    moment();
    keyFrames.tick(299);
    expect(messages).toEqual([['hi']]);
    keyFrames.tick(300);
    keyFrames.tick(700);
    expect(messages).toEqual([['hi'], ['low', 'mid']]);
  });

  it('does not ask for what came with the key frame of another layer', () => {
    const { keyFrames, messages, moment, low, mid, hi } = gathered();
    keyFrames.request(hi, 0);
    moment();
    keyFrames.request(low, 10);
    keyFrames.request(mid, 20);
    moment();
    low.keyFrameAt = 50;
    keyFrames.tick(300);
    expect(messages).toEqual([['hi'], ['mid']]);
  });

  it('sends no more than one message in 300 ms, whoever asks for what', () => {
    const { keyFrames, messages, moment, low, mid, hi } = gathered();
    for (let now = 0; now < 9_000; now++) {
      keyFrames.request([low, mid, hi][now % 3] ?? low, now);
      moment();
      if (now % 20 === 0) keyFrames.tick(now);
    }
    expect(messages).toHaveLength(30);
  });
});
