import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { installFlashAndBeep } from './flash-and-beep.ts';
import { installFrameClock, type SourceOptions } from './frame-clock.ts';

const executablePath = '/usr/bin/chromium';

/**
 * A Chromium of its own, headless, with a fake camera and microphone that need no permission. It runs in the network
 * namespace, when one is given. `secureOrigin`: where devices may be used although it is neither HTTPS nor loopback.
 */
export async function launchChromium(options: { namespace?: string; secureOrigin?: string } = {}): Promise<Browser> {
  const wrapper = options.namespace === undefined ? undefined : writeWrapper(options.namespace);
  const secure = options.secureOrigin && `--unsafely-treat-insecure-origin-as-secure=${options.secureOrigin}`;
  const browser = await chromium.launch({
    executablePath: wrapper?.path ?? executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--no-proxy-server',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
      ...(secure ? [secure] : []),
    ],
  });
  browser.on('disconnected', () => wrapper?.remove());
  return browser;
}

/** A program that is Chromium in a network namespace. */
function writeWrapper(namespace: string): { path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'footlights-chromium-'));
  const path = join(folder, 'chromium');
  writeFileSync(path, `#!/bin/sh\nexec ip netns exec ${namespace} ${executablePath} "$@"\n`);
  chmodSync(path, 0o700);
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What a page's peer connection says of itself; sums over its streams, and of video's size the largest. */
export interface PeerStatistics {
  state: RTCPeerConnectionState;
  framesEncoded: number;
  framesDecoded: number;
  audioEnergy: number;
  videoCodec: string;
  bytesSent: number;
  bytesReceived: number;
  /** The sender's bandwidth estimate, in bit/s. */
  availableOutgoingBitrate: number;
  /** The receiver's, in bit/s; 0 where transport-wide feedback leaves it to the sender. */
  availableIncomingBitrate: number;
  pliReceived: number;
  pliSent: number;
  nackSent: number;
  keyFramesDecoded: number;
  retransmittedPacketsReceived: number;
  /** Of video. */
  packetsLost: number;
  frameWidth: number;
  frameHeight: number;
  framesPerSecond: number;
  framesDropped: number;
  /** Of received video, as the browser counts them: a gap of three mean frame times, or of 150 ms more than one. */
  freezeCount: number;
  totalFreezesDuration: number;
  /** Mean time that a frame waited for being played, in milliseconds. */
  jitterBufferMs: number;
  /** Audio samples that the receiver made up. */
  concealedSamples: number;
}

/** One stream that a publisher sends of its video. */
export interface SentLayer {
  rid: string;
  active: boolean;
  frameWidth: number;
  frameHeight: number;
  framesEncoded: number;
  framesPerSecond: number;
  bytesSent: number;
  /** What the encoder is to spend, in bit/s. */
  targetBitrate: number;
  /** 'none', or what made the browser send less than it was told: 'cpu', 'bandwidth', 'other'. */
  qualityLimitationReason: string;
  /** Seconds that its encoder took in all. */
  totalEncodeTime: number;
  encoder: string;
}

declare global {
  interface Window {
    peers: Record<string, RTCPeerConnection>;
    firstFrameMs: Record<string, number>;
  }
}

export type VideoCodec = 'H264' | 'VP8' | 'VP9' | 'AV1';

export interface PublishOptions {
  url: string;
  token: string;
  /** Narrows the offer. */
  codec?: VideoCodec;
  /** Of the fake camera. */
  width?: number;
  maxBitrate?: number;
  /** Layers of simulcast, or the one encoding. */
  encodings?: RTCRtpEncodingParameters[];
  /** Video that carries its number and time (frame-clock.ts) in place of the fake camera. */
  clock?: SourceOptions;
  /** Video that flashes, and sound that is heard, once a second at the same time, in place of the fake devices. */
  flashAndBeep?: boolean;
  muted?: boolean;
  /** Audio in place of the fake microphone: a tone on the left side alone, or nothing. */
  tone?: 'left' | 'silence';
  /** Audio codecs by their MIME types, best first; the browser's own order when absent. */
  audioCodecs?: string[];
  /** What is replaced in the offer: a pattern, and what takes the place of all that fits it. */
  mungeOffer?: [pattern: string, replacement: string][];
}

/** Layers as IVS's browser client sends them, of a top layer with `maxBitrate` in bit/s: quarter, half and full size. */
export function simulcast(maxBitrate = 2_500_000): RTCRtpEncodingParameters[] {
  const share = maxBitrate / 2_500_000;
  return [
    { rid: 'low', scaleResolutionDownBy: 4, maxBitrate: 200_000 * share },
    { rid: 'mid', scaleResolutionDownBy: 2, maxBitrate: 700_000 * share },
    { rid: 'hi', scaleResolutionDownBy: 1, maxBitrate },
  ];
}

/** Publishes with WHIP, the fake devices unless told otherwise; resolves when connected. Returns the session's URL. */
export async function publish(page: Page, options: PublishOptions): Promise<string> {
  if (options.clock) await installFrameClock(page);
  if (options.flashAndBeep) await installFlashAndBeep(page);
  return page.evaluate(async ({ url, token, codec, width = 640, maxBitrate, encodings, clock, ...more }) => {
    const { muted, tone, audioCodecs, mungeOffer = [], flashAndBeep } = more;
    const video = clock ? false : { width, height: (width * 9) / 16 };
    const openDevices = () =>
      tone && clock ? new MediaStream() : navigator.mediaDevices.getUserMedia({ audio: !tone, video });
    const stream = await (flashAndBeep ? window.openFlashAndBeep() : openDevices());
    if (clock) stream.addTrack(window.openClockSource(clock));
    if (tone) {
      const context = new AudioContext({ sampleRate: 48_000 });
      const [oscillator, gain, sides] = [
        context.createOscillator(),
        context.createGain(),
        context.createChannelMerger(2),
      ];
      gain.gain.value = tone === 'left' ? 0.5 : 0;
      const destination = context.createMediaStreamDestination();
      oscillator.connect(gain).connect(sides, 0, 0).connect(destination);
      oscillator.start();
      for (const track of destination.stream.getTracks()) stream.addTrack(track);
    }
    const peer = new RTCPeerConnection();
    for (const track of stream.getTracks()) {
      if (track.kind === 'audio') track.enabled = !muted;
      // As IVS's browser client offers a simulcast.
      const direction = track.kind === 'video' && encodings ? 'sendrecv' : 'sendonly';
      const sendEncodings =
        track.kind === 'video' ? (encodings ?? (maxBitrate ? [{ maxBitrate }] : undefined)) : undefined;
      const transceiver = peer.addTransceiver(track, { direction, streams: [stream], sendEncodings });
      if (codec && track.kind === 'video') {
        const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
        transceiver.setCodecPreferences(
          codecs.filter(({ mimeType }) => [`video/${codec}`, 'video/rtx'].includes(mimeType)),
        );
      }
      if (audioCodecs && track.kind === 'audio') {
        const codecs = RTCRtpSender.getCapabilities('audio')?.codecs ?? [];
        const wanted = audioCodecs.flatMap((type) => codecs.filter(({ mimeType }) => mimeType === type));
        transceiver.setCodecPreferences(wanted);
      }
    }
    const { sdp = '' } = await peer.createOffer();
    const offer = mungeOffer.reduce((text, [pattern, to]) => text.replace(new RegExp(pattern, 'gm'), to), sdp);
    await peer.setLocalDescription({ type: 'offer', sdp: offer });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', authorization: `Bearer ${token}` },
      body: peer.localDescription?.sdp,
    });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    window.peers = { ...window.peers, publish: peer };
    while (peer.connectionState !== 'connected') {
      if (peer.connectionState === 'failed') throw new Error('the connection failed');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return response.headers.get('location') ?? '';
  }, options);
}

export interface SubscribeOptions {
  /** The server's WHIP URL. */
  whip: string;
  token: string;
  publisherId: string;
  /** Which layer to begin with. */
  initialLayer?: 'lowest' | 'highest';
  /** Whether to write down the frames of a publisher with a `clock`. */
  clock?: boolean;
  /** Codecs that the viewer decodes; all of the browser's when absent. */
  codecs?: VideoCodec[];
  /** As of a publisher. */
  audioCodecs?: string[];
  mungeOffer?: [pattern: string, replacement: string][];
}

export interface Subscription {
  /** From the request to the first frame shown. */
  firstFrameMs: number;
  /** The layers resource, when the answer names one. */
  layersUrl: string | undefined;
}

/** Subscribes to a participant; resolves with the first frame. */
export async function subscribe(page: Page, options: SubscribeOptions): Promise<Subscription> {
  if (options.clock) await installFrameClock(page);
  return page.evaluate(
    async ({ whip, token, publisherId, initialLayer, clock, codecs, audioCodecs, mungeOffer = [] }) => {
      const peer = new RTCPeerConnection();
      for (const kind of ['audio', 'video']) {
        const transceiver = peer.addTransceiver(kind, { direction: 'recvonly' });
        if (kind === 'audio' && audioCodecs) {
          const known = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [];
          const wanted = audioCodecs.flatMap((type) => known.filter(({ mimeType }) => mimeType === type));
          transceiver.setCodecPreferences(wanted);
        }
        if (kind !== 'video' || !codecs) continue;
        const known = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
        const wanted = ['video/rtx', ...codecs.map((codec) => `video/${codec}`)];
        transceiver.setCodecPreferences(known.filter(({ mimeType }) => wanted.includes(mimeType)));
      }
      const video = document.body.appendChild(document.createElement('video'));
      Object.assign(video, { autoplay: true, srcObject: new MediaStream() });
      peer.ontrack = ({ track }) => {
        (video.srcObject as MediaStream).addTrack(track);
        if (clock && track.kind === 'video') window.watchClock(publisherId, track);
      };
      const { sdp = '' } = await peer.createOffer();
      const offer = mungeOffer.reduce((text, [pattern, to]) => text.replace(new RegExp(pattern, 'gm'), to), sdp);
      await peer.setLocalDescription({ type: 'offer', sdp: offer });
      const started = performance.now();
      const shown = new Promise<number>((resolve) =>
        video.requestVideoFrameCallback(() => resolve(performance.now() - started)),
      );
      const ask = () =>
        fetch(`${whip}/subscribe/${publisherId}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/sdp',
            authorization: `Bearer ${token}`,
            ...(initialLayer && { 'x-stages-initial-layer-pref': initialLayer }),
          },
          body: peer.localDescription?.sdp,
        });
      let response = await ask();
      // The publisher's browser may know that it is connected a moment before the server does.
      while (response.status === 404 && performance.now() - started < 5_000) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        response = await ask();
      }
      if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
      await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
      window.peers = { ...window.peers, [publisherId]: peer };
      const link = response.headers.get('link') ?? '';
      const layersUrl = /<([^>]*)>; *rel="urn:ietf:params:whep:ext:core:layer"/.exec(link)?.[1];
      return { firstFrameMs: await shown, layersUrl };
    },
    options,
  );
}

/** Statistics of the peer connection `name` of a page: 'publish', or the id of the publisher that it receives. */
export function statistics(page: Page, name: string): Promise<PeerStatistics> {
  return page.evaluate(async (name) => {
    const peer = window.peers[name];
    if (!peer) throw new Error(`no peer connection ${name}`);
    const all = [...(await peer.getStats()).values()];
    const values = (type: string, key: string, kind?: string): number[] =>
      all.filter((one) => one.type === type && (!kind || one.kind === kind)).map((one) => one[key] ?? 0);
    const sum = (type: string, key: string, kind?: string) =>
      values(type, key, kind).reduce((total, value) => total + value, 0);
    const received = (key: string) => sum('inbound-rtp', key, 'video');
    const largest = (key: string) =>
      Math.max(0, ...values('inbound-rtp', key, 'video'), ...values('outbound-rtp', key, 'video'));
    const video = all.find(({ type, kind }) => (type === 'inbound-rtp' || type === 'outbound-rtp') && kind === 'video');
    return {
      state: peer.connectionState,
      framesEncoded: sum('outbound-rtp', 'framesEncoded'),
      framesDecoded: sum('inbound-rtp', 'framesDecoded'),
      audioEnergy: sum('inbound-rtp', 'totalAudioEnergy', 'audio'),
      videoCodec: all.find(({ id }) => id === video?.codecId)?.mimeType ?? '',
      bytesSent: sum('outbound-rtp', 'bytesSent', 'video'),
      bytesReceived: received('bytesReceived'),
      availableOutgoingBitrate: sum('candidate-pair', 'availableOutgoingBitrate'),
      availableIncomingBitrate: sum('candidate-pair', 'availableIncomingBitrate'),
      pliReceived: sum('outbound-rtp', 'pliCount', 'video'),
      pliSent: received('pliCount'),
      nackSent: received('nackCount'),
      keyFramesDecoded: sum('inbound-rtp', 'keyFramesDecoded'),
      retransmittedPacketsReceived: received('retransmittedPacketsReceived'),
      packetsLost: received('packetsLost'),
      frameWidth: largest('frameWidth'),
      frameHeight: largest('frameHeight'),
      framesPerSecond: largest('framesPerSecond'),
      framesDropped: received('framesDropped'),
      freezeCount: received('freezeCount'),
      totalFreezesDuration: received('totalFreezesDuration'),
      jitterBufferMs: (1000 * received('jitterBufferDelay')) / Math.max(1, received('jitterBufferEmittedCount')),
      concealedSamples: sum('inbound-rtp', 'concealedSamples', 'audio'),
    };
  }, name);
}

/** What a publishing page sends of its video, one entry for each layer, smallest first. */
export function sentLayers(page: Page): Promise<SentLayer[]> {
  return page.evaluate(async () => {
    const all = [...((await window.peers.publish?.getStats()) ?? new Map()).values()];
    return all
      .filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video')
      .map((one) => ({
        rid: one.rid ?? '',
        active: one.active ?? false,
        frameWidth: one.frameWidth ?? 0,
        frameHeight: one.frameHeight ?? 0,
        framesEncoded: one.framesEncoded ?? 0,
        framesPerSecond: one.framesPerSecond ?? 0,
        bytesSent: one.bytesSent ?? 0,
        targetBitrate: one.targetBitrate ?? 0,
        qualityLimitationReason: one.qualityLimitationReason ?? '',
        totalEncodeTime: one.totalEncodeTime ?? 0,
        encoder: one.encoderImplementation ?? '',
      }))
      .sort((a, b) => a.frameWidth - b.frameWidth);
  });
}

/** Waits until a publishing page sends all layers of a simulcast, the highest at three fifths of `maxBitrate` (bit/s) or more. */
export async function allLayersFlow(page: Page, maxBitrate: number): Promise<void> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    const layers = await sentLayers(page);
    const top = layers.at(-1);
    const flow = layers.every(({ framesPerSecond }) => framesPerSecond > 12);
    if (flow && top && top.targetBitrate >= 0.6 * maxBitrate) return;
    if (Date.now() > deadline) throw new Error(`not all layers flow: ${JSON.stringify(layers)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Makes a publishing page send or stop a layer. */
export function setLayerActive(page: Page, rid: string, active: boolean): Promise<void> {
  return page.evaluate(
    async ([rid, active]) => {
      const sender = window.peers.publish?.getSenders().find(({ track }) => track?.kind === 'video');
      if (!sender) throw new Error('the page publishes no video');
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings) if (encoding.rid === rid) encoding.active = active;
      await sender.setParameters(parameters);
    },
    [rid, active] as const,
  );
}
