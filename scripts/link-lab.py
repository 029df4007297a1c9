#!/usr/bin/env python3
"""A distant link on one machine, for measure-links.sh.

  forward   joins two TUN devices by a link with delay, loss, rate and a bounded queue, the same in both directions
  receive   takes plain TCP connections and prints how many bytes came in how many seconds, as JSON
  send      fills plain TCP connections for so many seconds

Many kernels have no netem. Rates count IP packets, headers included. Loss is drawn for each packet from a seeded
generator, before the queue; the order of packets depends on the machine, so a seed makes runs alike, not identical.
"""

import argparse
import collections
import fcntl
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import threading
import time

# linux/if_tun.h: the ioctl that names a device, IFF_TUN | IFF_NO_PI.
TUNSETIFF = 0x400454CA
TUN_WITHOUT_HEADER = 0x0001 | 0x1000
PACKET_BYTES_MAX = 65536
# How many packets are taken from one device before those that are due are given out.
BURST = 64


def open_tun(name):
    """A new device; it lives as long as the file."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), TUN_WITHOUT_HEADER))
    return device


class Direction:
    """Packets from one device to the other."""

    def __init__(self, source, target, options, seed):
        self.source = source
        self.target = target
        self.delay = options.one_way_ms / 1000
        self.bytes_per_second = options.mbit * 1e6 / 8
        self.queue_seconds = options.queue_bytes / self.bytes_per_second
        self.loss = options.loss
        self.random = random.Random(seed).random
        self.free_at = 0.0
        self.under_way = collections.deque()
        self.counts = {"packets": 0, "lost": 0, "overflowed": 0}

    def take(self, now):
        """Takes what the source has."""
        counts, under_way, source = self.counts, self.under_way, self.source
        for _ in range(BURST):
            try:
                packet = os.read(source, PACKET_BYTES_MAX)
            except BlockingIOError:
                return
            counts["packets"] += 1
            if self.random() < self.loss:
                counts["lost"] += 1
                continue
            begins = max(now, self.free_at)
            if begins - now > self.queue_seconds:
                counts["overflowed"] += 1
                continue
            self.free_at = begins + len(packet) / self.bytes_per_second
            under_way.append((self.free_at + self.delay, packet))

    def give(self, now):
        """Gives what is due; says when the next packet is, in seconds from now."""
        under_way = self.under_way
        while under_way:
            due, packet = under_way[0]
            if due > now:
                return due - now
            under_way.popleft()
            try:
                os.write(self.target, packet)
            except OSError:
                # The device is not up yet, or not any more: then nobody waits for the packet.
                pass
        return None


def forward(options):
    devices = [open_tun(name) for name in options.devices.split(",")]
    seeds = (options.seed, options.seed + 1)
    directions = [
        Direction(devices[0], devices[1], options, seeds[0]),
        Direction(devices[1], devices[0], options, seeds[1]),
    ]
    ends_at = time.monotonic() + options.seconds
    ends = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ends.append(True))
    print("ready", flush=True)
    while not ends and time.monotonic() < ends_at:
        now = time.monotonic()
        waits = [wait for wait in [direction.give(now) for direction in directions] if wait is not None]
        readable, _, _ = select.select(devices, [], [], min(waits, default=0.1))
        now = time.monotonic()
        for direction in directions:
            if direction.source in readable:
                direction.take(now)
    for direction, name in zip(directions, ("there", "back")):
        print(json.dumps({"direction": name, **direction.counts}), flush=True)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def receive(options):
    listener = socket.create_server(address(options.listen))
    print("ready", flush=True)
    counts = [0] * options.connections
    ends = [0.0] * options.connections

    def drain(number, connection):
        buffer = bytearray(1 << 20)
        while True:
            taken = connection.recv_into(buffer)
            if taken == 0:
                return
            counts[number] += taken
            ends[number] = time.monotonic()

    threads = []
    begin = 0.0
    for number in range(options.connections):
        connection, _ = listener.accept()
        begin = begin or time.monotonic()
        threads.append(threading.Thread(target=drain, args=(number, connection), daemon=True))
        threads[-1].start()
    until = begin + options.seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    seconds = min(time.monotonic(), until) - begin
    print(json.dumps({"bytes": sum(counts), "seconds": round(seconds, 3)}), flush=True)
    # What is still on its way is of no interest.
    os._exit(0)


def send(options):
    ends_at = time.monotonic() + options.seconds
    block = os.urandom(1 << 20)

    def fill():
        try:
            with socket.create_connection(address(options.to), timeout=30) as connection:
                connection.settimeout(options.seconds)
                while time.monotonic() < ends_at:
                    connection.sendall(block)
        except OSError:
            # The receiver ends first.
            pass

    threads = [threading.Thread(target=fill, daemon=True) for _ in range(options.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("forward")
    verb.add_argument("--devices", required=True, help="the two devices' names, made anew: A,B")
    verb.add_argument("--one-way-ms", type=float, required=True)
    verb.add_argument("--loss", type=float, required=True, help="share of packets, 0.01 is one in a hundred")
    verb.add_argument("--mbit", type=float, required=True)
    verb.add_argument("--queue-bytes", type=int, required=True)
    verb.add_argument("--seed", type=int, required=True)
    verb.add_argument("--seconds", type=float, required=True, help="ends by itself after so long")
    verb.set_defaults(run=forward)
    verb = verbs.add_parser("receive")
    verb.add_argument("--listen", required=True)
    verb.add_argument("--connections", type=int, required=True)
    verb.add_argument("--seconds", type=float, required=True)
    verb.set_defaults(run=receive)
    verb = verbs.add_parser("send")
    verb.add_argument("--to", required=True)
    verb.add_argument("--connections", type=int, required=True)
    verb.add_argument("--seconds", type=float, required=True)
    verb.set_defaults(run=send)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    sys.exit(main())
