"""A subscriber that loses nothing by itself.

At QoS 0 mosquitto writes a message to its subscribers before it acknowledges it to its publisher (handle__publish), so whatever a device
may forget has been handed over, even when the broker is killed a moment later. It comes back by itself; who restarts a broker waits for
`ready` before any device is let through.
"""

import asyncio
import collections
import contextlib
import ssl
import threading

import mqtt


class Subscriber:
    """Calls on_message(topic, payload) in the loop's thread."""

    def __init__(self, loop, port, folder, on_message):
        self.loop, self.port, self.on_message = loop, port, on_message
        self.tls = ssl.create_default_context(cafile=folder / "ca.crt")
        self.tls.load_cert_chain(folder / "subscriber.crt", folder / "subscriber.key")
        self.ready = threading.Event()
        self.pings = collections.deque()  # an Event for each that is on its way
        self.writer = None
        self.task = asyncio.run_coroutine_threadsafe(self._run(), loop)

    def barrier(self, patience_s=60):
        """When this returns, all that the broker wrote to us before has been counted."""
        pong = threading.Event()

        async def ping():
            self.pings.append(pong)
            self.writer.write(mqtt.PINGREQ_PACKET)

        asyncio.run_coroutine_threadsafe(ping(), self.loop).result()
        if not pong.wait(patience_s):
            raise AssertionError("gave up waiting for the broker's answer to the subscriber")

    def close(self):
        self.task.cancel()

    async def _run(self):
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._session()
            self.ready.clear()
            await asyncio.sleep(0.02)  # the broker is being restarted

    async def _session(self):
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls, server_hostname="localhost")
        try:
            self.writer.write(mqtt.connect_packet("subscriber"))
            buffer = bytearray()
            while data := await reader.read(65536):
                buffer += data
                for packet in mqtt.take_packets(buffer):
                    self._handle(packet)
        finally:
            self.pings.clear()
            self.writer.close()

    def _handle(self, packet):
        kind = mqtt.kind(packet)
        if kind == mqtt.CONNACK:
            self.writer.write(mqtt.subscribe_packet("glimpse/v1/+/telemetry"))
        elif kind == mqtt.SUBACK:
            self.ready.set()
        elif kind == mqtt.PINGRESP:
            self.pings.popleft().set()
        elif kind == mqtt.PUBLISH:
            self.on_message(*mqtt.read_publish(packet))
