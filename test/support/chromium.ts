import { type Browser, chromium, type Page } from 'playwright-core';

/** A Chromium of its own, headless, with a fake camera and microphone that need no permission. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

/** What a page's peer connection says of itself; sums over its streams. */
export interface PeerStatistics {
  state: RTCPeerConnectionState;
  framesEncoded: number;
  framesDecoded: number;
  audioEnergy: number;
  videoCodec: string;
  bytesSent: number;
  /** The sender's bandwidth estimate, in bit/s. */
  availableOutgoingBitrate: number;
  pliReceived: number;
  keyFramesDecoded: number;
  retransmittedPacketsReceived: number;
  frameWidth: number;
}

declare global {
  interface Window {
    peers: Record<string, RTCPeerConnection>;
    firstFrameMs: Record<string, number>;
  }
}

/** Publishes the fake devices with WHIP; resolves when connected. `codec` narrows the offer. Returns the session's URL. */
export function publish(
  page: Page,
  options: { url: string; token: string; codec?: 'H264' | 'VP8'; width?: number; maxBitrate?: number },
): Promise<string> {
  return page.evaluate(async ({ url, token, codec, width = 640, maxBitrate }) => {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: true,
      video: { width, height: (width * 9) / 16 },
    });
    const peer = new RTCPeerConnection();
    for (const track of stream.getTracks()) {
      const sendEncodings = track.kind === 'video' && maxBitrate ? [{ maxBitrate }] : undefined;
      const transceiver = peer.addTransceiver(track, { direction: 'sendonly', streams: [stream], sendEncodings });
      if (codec && track.kind === 'video') {
        const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
        transceiver.setCodecPreferences(
          codecs.filter(({ mimeType }) => [`video/${codec}`, 'video/rtx'].includes(mimeType)),
        );
      }
    }
    await peer.setLocalDescription();
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

/** Subscribes to a participant; resolves with the milliseconds from the request to the first frame shown. */
export function subscribe(page: Page, options: { whip: string; token: string; publisherId: string }): Promise<number> {
  return page.evaluate(async ({ whip, token, publisherId }) => {
    const peer = new RTCPeerConnection();
    for (const kind of ['audio', 'video']) peer.addTransceiver(kind, { direction: 'recvonly' });
    const video = document.body.appendChild(document.createElement('video'));
    Object.assign(video, { autoplay: true, srcObject: new MediaStream() });
    peer.ontrack = ({ track }) => (video.srcObject as MediaStream).addTrack(track);
    await peer.setLocalDescription();
    const started = performance.now();
    const shown = new Promise<number>((resolve) =>
      video.requestVideoFrameCallback(() => resolve(performance.now() - started)),
    );
    const response = await fetch(`${whip}/subscribe/${publisherId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', authorization: `Bearer ${token}` },
      body: peer.localDescription?.sdp,
    });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    window.peers = { ...window.peers, [publisherId]: peer };
    return shown;
  }, options);
}

/** Statistics of the peer connection `name` of a page: 'publish', or the id of the publisher that it receives. */
export function statistics(page: Page, name: string): Promise<PeerStatistics> {
  return page.evaluate(async (name) => {
    const peer = window.peers[name];
    if (!peer) throw new Error(`no peer connection ${name}`);
    const all = [...(await peer.getStats()).values()];
    const sum = (type: string, key: string, kind?: string) =>
      all.reduce((total, one) => total + (one.type === type && (!kind || one.kind === kind) ? (one[key] ?? 0) : 0), 0);
    const video = all.find(({ type, kind }) => (type === 'inbound-rtp' || type === 'outbound-rtp') && kind === 'video');
    return {
      state: peer.connectionState,
      framesEncoded: sum('outbound-rtp', 'framesEncoded'),
      framesDecoded: sum('inbound-rtp', 'framesDecoded'),
      audioEnergy: sum('inbound-rtp', 'totalAudioEnergy', 'audio'),
      videoCodec: all.find(({ id }) => id === video?.codecId)?.mimeType ?? '',
      bytesSent: sum('outbound-rtp', 'bytesSent', 'video'),
      availableOutgoingBitrate: sum('candidate-pair', 'availableOutgoingBitrate'),
      pliReceived: sum('outbound-rtp', 'pliCount', 'video'),
      keyFramesDecoded: sum('inbound-rtp', 'keyFramesDecoded'),
      retransmittedPacketsReceived: sum('inbound-rtp', 'retransmittedPacketsReceived', 'video'),
      frameWidth: video?.frameWidth ?? 0,
    };
  }, name);
}
