// The laboratory of the other tests: links do what they are told to.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Link, openLink } from './support/network.ts';
import { type Echo, Probe } from './support/probe.ts';
import { timed } from './support/timed.ts';

describe.skipIf(!openLink.available)('a network link', timed, () => {
  let link: Link;
  let probe: Probe;

  beforeAll(async () => {
    link = await openLink();
    probe = await Probe.open(link);
  });

  afterAll(async () => {
    probe?.close();
    await link?.dispose();
  });

  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
  const down = (echoes: Echo[]) => median(echoes.map(({ sentAt, arrivedAt }) => arrivedAt - sentAt));
  const up = (echoes: Echo[]) => median(echoes.map(({ arrivedAt, returnedAt }) => returnedAt - arrivedAt));
  /** How often a packet came before one that was sent earlier. */
  const overtaken = (echoes: Echo[]) =>
    echoes.filter(({ sequence }, i) => i > 0 && sequence < (echoes[i - 1]?.sequence ?? 0)).length;

  test('carries everything at once until it is shaped', async () => {
    const { sent, echoes } = await probe.send({ rateKbit: 4_000 });
    expect(echoes).toHaveLength(sent);
    expect(down(echoes)).toBeLessThan(20);
    expect(overtaken(echoes)).toBe(0);
  });

  test('delays each direction by its own time', async () => {
    await link.shape({ down: { delayMs: 80 }, up: { delayMs: 30 } });
    const { sent, echoes } = await probe.send({});
    expect(echoes).toHaveLength(sent);
    expect(down(echoes)).toBeGreaterThanOrEqual(80);
    expect(down(echoes)).toBeLessThan(100);
    expect(up(echoes)).toBeGreaterThanOrEqual(30);
    expect(up(echoes)).toBeLessThan(50);
  });

  test('passes what its rate allows, drops what its queue does not hold, and is shaped anew while it runs', async () => {
    await link.shape({ down: { rateKbit: 300, queueMs: 100 }, up: {} });
    const { sent, echoes } = await probe.send({ rateKbit: 600, seconds: 2 });
    const passedKbit = (echoes.length * 8 * 1000) / 2_000;
    expect(passedKbit).toBeGreaterThan(290);
    expect(passedKbit).toBeLessThan(330);
    // A packet waits for a full queue, and then takes its own time on the line.
    expect(down(echoes)).toBeGreaterThan(90);
    expect(down(echoes)).toBeLessThan(150);
    const { down: counted } = await link.statistics();
    expect(counted.dropped).toBe(sent - echoes.length);
    const sending = probe.send({ rateKbit: 600, seconds: 1 });
    await link.shape({ down: { rateKbit: 1_200 } });
    const again = await sending;
    expect(again.echoes).toHaveLength(again.sent);
  });

  test('loses a share of the packets, others for another seed', async () => {
    const lost = async (seed: number) => {
      const link = await openLink(seed);
      const probe = await Probe.open(link);
      await link.shape({ down: { lossPercent: 5 } });
      const { sent, echoes } = await probe.send({ rateKbit: 8_000 });
      probe.close();
      await link.dispose();
      const back = new Set(echoes.map(({ sequence }) => sequence));
      return Array.from({ length: sent }, (_, sequence) => sequence).filter((sequence) => !back.has(sequence));
    };
    const [first, other] = await Promise.all([lost(1), lost(2)]);
    expect(first.length).toBeGreaterThan(25);
    expect(first.length).toBeLessThan(80);
    expect(other).not.toEqual(first);
  });

  test('spreads delays, in order or not', async () => {
    await link.shape({ down: { delayMs: 50, jitterMs: 30 }, up: {} });
    const ordered = await probe.send({ rateKbit: 1_000 });
    expect(overtaken(ordered.echoes)).toBe(0);
    await link.shape({ down: { delayMs: 50, jitterMs: 30, reorder: true } });
    const { sent, echoes } = await probe.send({ rateKbit: 1_000 });
    expect(echoes).toHaveLength(sent);
    expect(overtaken(echoes)).toBeGreaterThan(sent / 10);
    const delays = echoes.map(({ sentAt, arrivedAt }) => arrivedAt - sentAt);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(20);
    expect(Math.min(...delays)).toBeLessThan(35);
    expect(Math.max(...delays)).toBeGreaterThan(65);
  });
});

describe.skipIf(!openLink.available)('nothing is left', () => {
  const exists = (namespace: string) => existsSync(`/run/netns/${namespace}`);

  test('of a link that is disposed of', async () => {
    const link = await openLink();
    expect(exists(link.namespace)).toBe(true);
    await link.dispose();
    expect(exists(link.namespace)).toBe(false);
    expect(spawnSync('ip', ['address'], { encoding: 'utf8' }).stdout).not.toContain(`${link.hostAddress} `);
  });

  test('of a run that was killed, once another opens a link', async () => {
    const dead = spawnSync('true').pid;
    const namespace = `footlights-${dead}-1`;
    spawnSync('ip', ['netns', 'add', namespace]);
    const link = await openLink();
    expect(exists(namespace)).toBe(false);
    await link.dispose();
  });
});
