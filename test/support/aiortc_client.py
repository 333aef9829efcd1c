"""A WHIP publisher and subscriber over aiortc: an implementation of WebRTC that shares nothing with the server's.

    aiortc_client.py publish   <whip url>               <token> <codec>    publishes until its input ends
    aiortc_client.py subscribe <whip url>/subscribe/<id> <token> <frames>  ends when it has decoded so many video frames and some sound, or after 10 s without

Prints one JSON object a line.
"""

import asyncio
import fractions
import json
import math
import sys
import urllib.request

import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack


class Tone(MediaStreamTrack):
    """A sine of 440 Hz, 48 kHz, in frames of 20 ms."""

    kind = "audio"
    position = 0

    async def recv(self):
        await asyncio.sleep(0.02)
        samples = numpy.arange(self.position, self.position + 960)
        wave = (8000 * numpy.sin(2 * math.pi * 440 * samples / 48000)).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, self.position, fractions.Fraction(1, 48000)
        self.position += 960
        return frame


class Bars(VideoStreamTrack):
    """Grey bars that wander, 320x240."""

    position = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        row = (numpy.arange(320) + self.position) % 256
        picture = numpy.repeat(row[None, :, None], 240, axis=0).repeat(3, axis=2).astype(numpy.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        self.position += 4
        return frame


def say(**fields):
    print(json.dumps(fields), flush=True)


async def negotiate(peer, url, token):
    await peer.setLocalDescription(await peer.createOffer())
    request = urllib.request.Request(
        url,
        peer.localDescription.sdp.encode(),
        {"Content-Type": "application/sdp", "Authorization": "Bearer " + token},
    )
    with urllib.request.urlopen(request) as response:
        answer = response.read().decode()
        say(status=response.status, location=response.headers["Location"])
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))


async def publish(url, token, codec):
    peer = RTCPeerConnection()
    peer.addTrack(Tone())
    peer.addTrack(Bars())
    codecs = RTCRtpSender.getCapabilities("video").codecs
    video = next(one for one in peer.getTransceivers() if one.kind == "video")
    video.setCodecPreferences([one for one in codecs if one.mimeType in ("video/" + codec, "video/rtx")])

    @peer.on("connectionstatechange")
    def changed():
        say(state=peer.connectionState)

    await negotiate(peer, url, token)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await peer.close()


async def subscribe(url, token, frames):
    peer = RTCPeerConnection()
    peer.addTransceiver("audio", direction="recvonly")
    peer.addTransceiver("video", direction="recvonly")
    loudest = 0
    tasks = []

    async def listen(track):
        nonlocal loudest
        while True:
            frame = await track.recv()
            loudest = max(loudest, int(numpy.abs(frame.to_ndarray()).max()))

    async def look(track):
        for _ in range(frames):
            frame = await track.recv()
        return frame

    @peer.on("track")
    def on_track(track):
        tasks.append((track.kind, asyncio.ensure_future(listen(track) if track.kind == "audio" else look(track))))

    await negotiate(peer, url, token)
    last = await next(task for kind, task in tasks if kind == "video")
    for _ in range(100):
        if loudest > 0:
            break
        await asyncio.sleep(0.1)
    say(frames=frames, width=last.width, height=last.height, loudest=loudest)
    await peer.close()


if __name__ == "__main__":
    mode, url, token, last = sys.argv[1:]
    asyncio.run(publish(url, token, last) if mode == "publish" else subscribe(url, token, int(last)))
