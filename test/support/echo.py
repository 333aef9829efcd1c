"""Answers every UDP packet with its first eight bytes and when it came, in nanoseconds of the monotonic clock.

Usage: echo.py ADDRESS. Prints the port.
"""

import socket
import struct
import sys
import time

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
server.bind((sys.argv[1], 0))
print(server.getsockname()[1], flush=True)
while True:
    packet, sender = server.recvfrom(2048)
    server.sendto(packet[:8] + struct.pack("!Q", time.monotonic_ns()), sender)
