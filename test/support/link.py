"""A network link in user space: joins a TUN device of this network namespace with one of another, and shapes both ways.

Usage: link.py NAMESPACE DEVICE SEED. Both devices get the name DEVICE and are gone when the program ends, which it does
with its standard input. Commands and answers are lines of JSON:

    {"id": 1, "shape": {"down": {"rateKbit": 300, "queueMs": 200}, "up": {"lossPercent": 5}}}    -> {"id": 1}
    {"id": 2, "statistics": true}                                         -> {"id": 2, "down": {...}, "up": {...}}

"down" goes into the namespace, "up" comes out of it. A direction that is named is shaped anew, from nothing. A packet
is lost by lot, then waits for its turn at the rate or finds the queue full, then takes its time on the way.
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU_READ = 65536
# Packets read from one side before the other side and what is due get their turn.
BURST = 32
# Seconds; about a frame of video.
JITTER_SLOT = 0.04


def enter(namespace):
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {namespace}")
    os.close(handle)


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


class Direction:
    """Packets from one device on their way to the other. Times are seconds of the monotonic clock."""

    def __init__(self, source, sink, seed):
        self.source, self.sink = source, sink
        self.random = random.Random(seed)
        self.waiting = []
        self.count = 0
        self.free_at = 0.0
        self.last_due = 0.0
        self.drawn = self.drawn_until = 0.0
        self.shape()
        self.clear()

    def shape(self, rateKbit=0, delayMs=0, jitterMs=0, lossPercent=0, queueMs=200, reorder=False):
        self.seconds_per_byte = 0.008 / rateKbit if rateKbit else 0.0
        self.delay, self.jitter = delayMs / 1000, min(jitterMs, delayMs) / 1000
        self.drawn_until = 0.0
        self.loss, self.queue, self.reorder = lossPercent / 100, queueMs / 1000, reorder

    def clear(self):
        self.packets = self.bytes = self.lost = self.dropped = 0
        self.late_sum = self.late_max = 0.0

    def read(self, now):
        for _ in range(BURST):
            try:
                packet = os.read(self.source, MTU_READ)
            except BlockingIOError:
                return
            self.take(packet, now)

    def take(self, packet, now):
        # The kernel looks for IPv6 neighbours when it likes: that must not use up what was drawn for the test's packets.
        if packet[0] >> 4 != 4:
            return
        if self.loss and self.random.random() < self.loss:
            self.lost += 1
            return
        start = max(now, self.free_at)
        if self.seconds_per_byte and start - now > self.queue:
            self.dropped += 1
            return
        self.free_at = start + len(packet) * self.seconds_per_byte
        due = self.free_at + self.delay + self.draw(now)
        if not self.reorder:
            due = self.last_due = max(due, self.last_due)
        self.count += 1
        heapq.heappush(self.waiting, (due, self.count, packet))

    def draw(self, now):
        """The jitter of a packet; where order is kept, packets of one moment share it, else the slowest would hide the others."""
        if self.reorder or now >= self.drawn_until:
            self.drawn = self.random.uniform(-self.jitter, self.jitter)
            self.drawn_until = now + JITTER_SLOT
        return self.drawn

    def deliver(self, now):
        """Sends what is due; returns when the next packet is."""
        while self.waiting and self.waiting[0][0] <= now:
            due, _, packet = heapq.heappop(self.waiting)
            try:
                os.write(self.sink, packet)
            except OSError:
                continue  # The device is not up.
            self.packets += 1
            self.bytes += len(packet)
            self.late_sum += now - due
            self.late_max = max(self.late_max, now - due)
        return self.waiting[0][0] if self.waiting else None

    def statistics(self):
        late = {"lateMeanMs": 1000 * self.late_sum / max(1, self.packets), "lateMaxMs": 1000 * self.late_max}
        answer = {"packets": self.packets, "bytes": self.bytes, "lost": self.lost, "dropped": self.dropped, **late}
        self.clear()
        return answer


def answer(line, directions):
    command = json.loads(line)
    for name, shape in command.get("shape", {}).items():
        directions[name].shape(**shape)
    numbers = {name: one.statistics() for name, one in directions.items()} if command.get("statistics") else {}
    print(json.dumps({"id": command["id"], **numbers}), flush=True)


def run(directions):
    """Forwards until the standard input ends."""
    commands = b""
    sources = [one.source for one in directions.values()]
    while True:
        now = time.monotonic()
        due = [at for at in [one.deliver(now) for one in directions.values()] if at is not None]
        wait = max(0.0, min(due) - time.monotonic()) if due else None
        readable, _, _ = select.select([*sources, 0], [], [], wait)
        now = time.monotonic()
        for one in directions.values():
            if one.source in readable:
                one.read(now)
        if 0 in readable:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, commands = (commands + chunk).split(b"\n")
            for line in lines:
                answer(line, directions)


def main():
    namespace, device, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    outside = open_tun(device)
    enter(namespace)
    inside = open_tun(device)
    try:
        # What is measured must not wait for a processor that the measured programs keep busy.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError as error:
        print(f"link: no real-time priority, times are less exact: {error}", file=sys.stderr)
    print(json.dumps({"id": 0}), flush=True)
    run({"down": Direction(outside, inside, seed), "up": Direction(inside, outside, seed + 1)})


main()
