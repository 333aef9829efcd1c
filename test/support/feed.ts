import type { WhipPeer } from './whip-peer.ts';

/** Frames a second, and frames from one key frame to the next. */
export const FEED_RATE = 50;
const KEY_INTERVAL = 100;

/** Lets a publisher send frames as time passes, however late its timer runs; returns how to end it. */
export function feed(publisher: WhipPeer): () => void {
  const [startedAt, sentBefore] = [performance.now(), publisher.sent];
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) * FEED_RATE) / 1_000;
    while (publisher.isOpen && publisher.sent - sentBefore < due) publisher.send(publisher.sent % KEY_INTERVAL === 0);
  }, 1_000 / FEED_RATE);
  return () => clearInterval(timer);
}
