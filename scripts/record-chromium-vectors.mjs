// Makes the Chromium captures of packages/protocol/src/video/testdata and …/opus/testdata: a page publishes a canvas and a tone in each
// of the codecs and scalability modes below to a peer of node-datachannel, which writes down the RTP packets as they come.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import ndc from 'node-datachannel';
import { chromium } from 'playwright-core';
import { root } from './setup.mjs';

const folder = join(root, 'packages/protocol/src');
const ENOUGH_PACKETS = 150;
const KEPT_VIDEO_PACKETS = 80;
const KEPT_AUDIO_PACKETS = 40;
const vectors = {
  'chromium-h264': { codec: 'video/H264', width: 320, height: 180 },
  'chromium-vp8-l1t3': { codec: 'video/VP8', scalabilityMode: 'L1T3', width: 320, height: 180 },
  'chromium-vp9-l1t3': { codec: 'video/VP9', scalabilityMode: 'L1T3', width: 320, height: 180 },
  'chromium-vp9-l3t3': { codec: 'video/VP9', scalabilityMode: 'L3T3', width: 960, height: 540 },
  'chromium-vp9-l3t3-key': { codec: 'video/VP9', scalabilityMode: 'L3T3_KEY', width: 960, height: 540 },
  'chromium-av1-l1t3': { codec: 'video/AV1', scalabilityMode: 'L1T3', width: 320, height: 180 },
  'chromium-av1-l2t2': { codec: 'video/AV1', scalabilityMode: 'L2T2', width: 640, height: 360 },
};

/** Runs in the page: publishes and gives the offer, waits for the answer. */
async function offer({ codec, scalabilityMode, width, height }) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d');
  let count = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${count * 7}, 60%, 40%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = 'white';
    context.fillRect((count * 9) % width, (count * 5) % height, 60, 40);
    count++;
  }, 33);
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const output = audio.createMediaStreamDestination();
  tone.connect(output);
  tone.start();
  const peer = new RTCPeerConnection();
  window.peer = peer;
  const sound = peer.addTransceiver(output.stream.getAudioTracks()[0], { direction: 'sendonly' });
  const video = peer.addTransceiver(canvas.captureStream(30).getVideoTracks()[0], {
    direction: 'sendonly',
    sendEncodings: [{ scalabilityMode, maxBitrate: 600_000 }],
  });
  // Without feedback there is no bandwidth to be had: the picture would shrink.
  await video.sender.setParameters({ ...video.sender.getParameters(), degradationPreference: 'maintain-resolution' });
  const preferred = (kind, type) => {
    const { codecs } = RTCRtpSender.getCapabilities(kind);
    const isWanted = ({ mimeType }) => mimeType.toLowerCase() === type.toLowerCase();
    const isAny = ({ mimeType }) => !/red|fec/i.test(mimeType);
    return [...codecs.filter(isWanted), ...codecs.filter((other) => !isWanted(other) && isAny(other))];
  };
  sound.setCodecPreferences(preferred('audio', 'audio/red'));
  video.setCodecPreferences(preferred('video', codec));
  await peer.setLocalDescription();
  await new Promise((resolve) => {
    if (peer.iceGatheringState === 'complete') resolve();
    peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && resolve();
  });
  return peer.localDescription.sdp;
}

const headerOf = (sdp, kind, uri) => {
  const section = sdp.split(/\r\nm=/).find((part) => part.startsWith(kind));
  return Number(section.match(new RegExp(`a=extmap:(\\d+)\\S* \\S*${uri}`))?.[1] ?? 0);
};

/** Without transport-wide feedback Chromium takes the bandwidth that REMB gives. */
const withoutTransportCc = (sdp) =>
  sdp.replace(/a=rtcp-fb:\d+ transport-cc\r\n|a=extmap:\d+ \S*transport-wide-cc\S*\r\n/g, '');

/** RTP of one page by kind; the first payload type of each section is what the page sends. */
async function capture(page, vector) {
  const sdp = await page.evaluate(offer, vector);
  const peer = new ndc.PeerConnection('vectors', { iceServers: [], bindAddress: '127.0.0.1' });
  const packets = { audio: [], video: [] };
  const tracks = [];
  peer.onTrack((track) => {
    tracks.push(track);
    track.setMediaHandler(new ndc.RtcpReceivingSession());
    track.onMessage((packet) => {
      const type = packet[1] & 0x7f;
      if (type < 64 || type > 95) packets[track.type()].push(Buffer.from(packet));
    });
  });
  const answer = new Promise((resolve) => {
    peer.onGatheringStateChange((state) => state === 'complete' && resolve(peer.localDescription().sdp));
  });
  peer.setRemoteDescription(withoutTransportCc(sdp), 'offer');
  await page.evaluate(async (sdp) => window.peer.setRemoteDescription({ type: 'answer', sdp }), await answer);
  const payloadTypes = (kind) => Number(sdp.match(new RegExp(`m=${kind} \\d+ \\S+ (\\d+)`))[1]);
  for (let wait = 0; wait < 100; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const track of tracks) if (track.isOpen() && track.type() === 'video') track.requestBitrate(2_000_000);
    if (packets.video.length >= ENOUGH_PACKETS && packets.audio.length >= KEPT_AUDIO_PACKETS) break;
  }
  const encoder = await page.evaluate(async () => {
    const stats = [...(await window.peer.getStats()).values()].find(
      (s) => s.type === 'outbound-rtp' && s.kind === 'video',
    );
    return { width: stats.frameWidth, height: stats.frameHeight, scalabilityMode: stats.scalabilityMode };
  });
  await page.evaluate(() => window.peer.close());
  peer.close();
  return {
    packets,
    told: { ...encoder, payloadType: payloadTypes('video') },
    audio: { payloadType: payloadTypes('audio'), audioLevelId: headerOf(sdp, 'audio', 'ssrc-audio-level') },
    sdp,
  };
}

function framed(packets) {
  return Buffer.concat(
    packets.flatMap((packet) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(packet.length);
      return [length, packet];
    }),
  );
}

const site = createServer((_, response) => response.end('<!doctype html>')).listen(0, '127.0.0.1');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-features=WebRtcHideLocalIpsWithMdns'],
});
mkdirSync(join(folder, 'video/testdata'), { recursive: true });
mkdirSync(join(folder, 'opus/testdata'), { recursive: true });
for (const [name, vector] of Object.entries(vectors)) {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  const { packets, told, audio } = await capture(page, vector);
  const ofPayload = ({ payloadType }, list) => list.filter((packet) => (packet[1] & 0x7f) === payloadType);
  const video = ofPayload(told, packets.video).slice(0, KEPT_VIDEO_PACKETS);
  writeFileSync(join(folder, `video/testdata/${name}.rtp`), framed(video));
  writeFileSync(join(folder, `video/testdata/${name}.json`), `${JSON.stringify(told)}\n`);
  const sound = ofPayload(audio, packets.audio).slice(0, KEPT_AUDIO_PACKETS);
  if (name === 'chromium-h264') {
    writeFileSync(join(folder, 'opus/testdata/chromium-red.rtp'), framed(sound));
    writeFileSync(join(folder, 'opus/testdata/chromium-red.json'), `${JSON.stringify(audio)}\n`);
  }
  console.log(
    name,
    JSON.stringify(told),
    video.length,
    'of',
    packets.video.length,
    'audio',
    sound.length,
    'of',
    packets.audio.length,
  );
  await page.close();
}
await browser.close();
site.close();
ndc.cleanup();
