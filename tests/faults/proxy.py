"""A TCP proxy between one device and the broker that fails on purpose.

With `packets` the device speaks plain MQTT to the proxy, which then sees packets, and the proxy TLS to the broker by `upstream_tls`.
Without, it passes TLS on as it comes.

What can be done to a connection:
  pass           nothing
  refuse         it is closed as soon as it comes
  reset          an RST to both sides; to a new connection after a random number of bytes
  stall          not one byte more, in either direction; both connections stay until one side gives up
  half-open      the broker's side is gone, the device's stays: what it sends is swallowed
  slow           SLOW_BYTES_PER_S in each direction
  cut            closed in the middle of the next PUBLISH or PUBACK (packets only)
  withhold       PUBACKs are swallowed (packets only)
  withhold-one   the next PUBACK is swallowed, later ones pass (packets only)
"""

import asyncio
import contextlib
import random
import socket
import struct
import time

import mqtt

SLOW_BYTES_PER_S = 20
MAX_CONNECTIONS = 256  # more are refused
PACKETS_ONLY = ("cut", "withhold", "withhold-one")
KINDS = ("pass", "refuse", "reset", "stall", "half-open", "slow", *PACKETS_ONLY)


class Cut(Exception):
    """The connection ends here."""


class Proxy:
    """Lives in an asyncio loop that runs in a thread of its own; its methods are for other threads."""

    def __init__(self, loop, target_port, packets=False, upstream_tls=None, chance=None):
        self.loop, self.target_port, self.packets, self.upstream_tls = loop, target_port, packets, upstream_tls
        self.chance = chance or random.Random()
        self.mode = "pass"  # of connections to come
        self.attempts = []  # (time.monotonic(), the mode it met)
        self.closings = []  # time.monotonic() when the device gave a connection up
        self.connections = set()
        self.server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), loop).result()
        self.port = self.server.sockets[0].getsockname()[1]

    def set_mode(self, mode):
        self._check(mode)
        self.mode = mode

    def strike(self, kind):
        """Does this to the connections that there are."""
        self._check(kind)

        async def all_of_them():
            for connection in list(self.connections):
                connection.strike(kind)

        asyncio.run_coroutine_threadsafe(all_of_them(), self.loop).result()

    def _check(self, kind):
        if kind not in KINDS or (kind in PACKETS_ONLY and not self.packets):
            raise ValueError(f"this proxy knows no fault {kind}")

    def attempts_since(self, moment):
        return [attempt for attempt in self.attempts if attempt[0] > moment]

    def closings_since(self, moment):
        return [closing for closing in self.closings if closing > moment]

    def close(self):
        async def shut():
            self.server.close()
            for connection in list(self.connections):
                connection.abort()

        asyncio.run_coroutine_threadsafe(shut(), self.loop).result()

    async def _serve(self, reader, writer):
        mode = self.mode if len(self.connections) < MAX_CONNECTIONS else "refuse"
        self.attempts.append((time.monotonic(), mode))
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        try:
            if mode != "refuse":
                await connection.run(mode)
        except (OSError, Cut, ValueError, asyncio.CancelledError):
            pass
        finally:
            connection.abort(polite=True)
            self.connections.discard(connection)


class Connection:
    def __init__(self, proxy, reader, writer):
        self.proxy, self.device = proxy, (reader, writer)
        self.broker = None
        self.kind, self.reset_after = "pass", None
        self.task = asyncio.current_task()

    async def run(self, kind):
        self.broker = await asyncio.open_connection("127.0.0.1", self.proxy.target_port, ssl=self.proxy.upstream_tls,
                                                    server_hostname="localhost" if self.proxy.upstream_tls else None)
        if kind == "reset":
            self.reset_after = self.proxy.chance.randint(1, 8000)
        else:
            self.strike(kind)
        pumps = [asyncio.ensure_future(self._pump(self.device[0], self.broker[1], up=True)),
                 asyncio.ensure_future(self._pump(self.broker[0], self.device[1], up=False))]
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if self.kind == "half-open" and pumps[0] not in done:
                await pumps[0]
            for pump in done:
                pump.result()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    def strike(self, kind):
        self.kind = kind
        if kind == "reset":
            self.abort()
        elif kind == "half-open" and self.broker:
            self.broker[1].transport.abort()

    def abort(self, polite=False):
        """By RST, or politely by FIN."""
        for _, writer in filter(None, (self.device, self.broker)):
            with contextlib.suppress(OSError):
                if polite:
                    writer.close()
                else:
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
        if not polite:
            self.task.cancel()

    async def _pump(self, source, sink, up):
        buffer = bytearray()
        while data := await source.read(4096):
            if self.kind in ("stall", "half-open"):
                continue
            if up and self.reset_after is not None:
                self.reset_after -= len(data)
                if self.reset_after <= 0:
                    self.abort()
            if self.proxy.packets:
                buffer += data
                data = b"".join([piece for packet in mqtt.take_packets(buffer) if (piece := await self._look_at(packet, sink))])
            await self._pass_on(data, sink)
        if up:
            self.proxy.closings.append(time.monotonic())

    async def _look_at(self, packet, sink):
        """What is passed on of this packet."""
        if self.kind == "cut" and mqtt.kind(packet) in (mqtt.PUBLISH, mqtt.PUBACK):
            # A PUBLISH is there before its PUBACK, so half of them are let by, or no PUBACK would ever be cut.
            if mqtt.kind(packet) == mqtt.PUBACK or self.proxy.chance.random() < 0.5:
                sink.write(packet[: self.proxy.chance.randint(1, len(packet) - 1)])
                await sink.drain()
                raise Cut
        if mqtt.kind(packet) == mqtt.PUBACK and self.kind in ("withhold", "withhold-one"):
            if self.kind == "withhold-one":
                self.kind = "pass"
            return b""
        return packet

    async def _pass_on(self, data, sink):
        while data and self.kind == "slow":
            piece, data = data[: SLOW_BYTES_PER_S // 10], data[SLOW_BYTES_PER_S // 10 :]
            sink.write(piece)
            await sink.drain()
            await asyncio.sleep(len(piece) / SLOW_BYTES_PER_S)
        sink.write(data)
        await sink.drain()
