"""Each fault of the proxy, seen from both its sides."""

import contextlib
import random
import socket
import threading
import time
import unittest

import parts  # noqa: F401

import mqtt
from background import Loop
from proxy import SLOW_BYTES_PER_S, Proxy

LIMIT_S = 20
PUBLISH = mqtt.publish_packet("t", b"x" * 100)
PUBACK = mqtt.puback_packet()


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.broker = socket.create_server(("127.0.0.1", 0))
        self.broker.settimeout(LIMIT_S)
        self.addCleanup(self.broker.close)
        background = Loop()
        self.addCleanup(background.close)
        self.loop = background.loop

    def start(self, packets=True):
        self.proxy = Proxy(self.loop, self.broker.getsockname()[1], packets, chance=random.Random(1))
        self.addCleanup(self.proxy.close)

    def connect(self):
        device = socket.create_connection(("127.0.0.1", self.proxy.port), LIMIT_S)
        self.addCleanup(device.close)
        return device

    def pair(self):
        """Both ends of a connection, after a packet has passed each way."""
        device = self.connect()
        broker, _ = self.broker.accept()
        broker.settimeout(LIMIT_S)
        self.addCleanup(broker.close)
        self.passes(device, broker)
        return device, broker

    def passes(self, device, broker):
        for source, sink, packet in ((device, broker, PUBLISH), (broker, device, mqtt.PINGREQ_PACKET)):
            source.sendall(packet)
            self.assertEqual(receive(sink, len(packet)), packet)

    def assert_silent(self, end, seconds=0.2):
        end.settimeout(seconds)
        with self.assertRaises(TimeoutError):
            end.recv(1)
        end.settimeout(LIMIT_S)

    def test_passes_what_is_not_even_mqtt_and_the_end(self):
        self.start(packets=False)
        device = self.connect()
        broker, _ = self.broker.accept()
        self.addCleanup(broker.close)
        sent = random.Random(2).randbytes(300_000)
        sender = threading.Thread(target=device.sendall, args=(sent,))
        sender.start()
        self.assertEqual(receive(broker, len(sent)), sent)
        sender.join()
        device.close()
        self.assertEqual(broker.recv(1), b"")

    def test_refuse_and_the_attempts_that_were_counted(self):
        self.start()
        before = time.monotonic()
        self.proxy.set_mode("refuse")
        for _ in range(3):
            self.assertEqual(ended(self.connect()), b"")
        self.proxy.set_mode("pass")
        self.pair()
        self.assertEqual([mode for _, mode in self.proxy.attempts_since(before)], ["refuse"] * 3 + ["pass"])
        self.assertEqual(self.proxy.attempts_since(time.monotonic()), [])

    def test_no_broker_is_a_refusal(self):
        self.start()
        self.broker.close()
        self.assertEqual(ended(self.connect()), b"")

    def test_reset_is_an_rst_to_both(self):
        self.start()
        device, broker = self.pair()
        self.proxy.strike("reset")
        for end in (device, broker):
            with self.assertRaises(ConnectionResetError):
                end.recv(1)

    def test_reset_of_new_connections_comes_after_some_bytes(self):
        self.start(packets=False)
        self.proxy.set_mode("reset")
        device = self.connect()
        with contextlib.suppress(ConnectionError):
            device.sendall(bytes(8000))
        with self.assertRaises(ConnectionResetError):
            device.recv(1)

    def test_stall_passes_nothing_and_closes_nothing(self):
        self.start()
        device, broker = self.pair()
        self.proxy.strike("stall")
        device.sendall(PUBLISH)
        broker.sendall(PUBACK)
        self.assert_silent(device)
        self.assert_silent(broker)
        self.pair()  # another connection is not touched

    def test_half_open_the_broker_sees_the_end_the_device_nothing(self):
        self.start()
        device, broker = self.pair()
        self.proxy.strike("half-open")
        self.assertEqual(ended(broker), b"")
        for _ in range(100):
            device.sendall(PUBLISH)
        self.assert_silent(device)
        self.proxy.set_mode("half-open")  # and of a new one
        new = self.connect()
        new.sendall(PUBLISH)
        self.assert_silent(new)

    def test_slow_then_healed_loses_nothing(self):
        self.start()
        device, broker = self.pair()
        self.proxy.strike("slow")
        began = time.monotonic()
        device.sendall(PUBLISH * 3)
        got = receive(broker, SLOW_BYTES_PER_S)
        self.assertGreater(time.monotonic() - began, 0.8)
        self.proxy.strike("pass")
        self.assertEqual(got + receive(broker, 3 * len(PUBLISH) - len(got)), PUBLISH * 3)
        self.assertLess(time.monotonic() - began, 10)  # 300 bytes would take 15 s

    def test_cut_is_in_the_middle_of_a_packet(self):
        self.start()
        cut = {"PUBLISH": 0, "PUBACK": 0}
        for _ in range(20):
            device, broker = self.pair()
            self.proxy.strike("cut")
            device.sendall(PUBLISH)
            up = receive(broker, len(PUBLISH))
            if len(up) < len(PUBLISH):
                cut["PUBLISH"] += 1
                self.assertTrue(PUBLISH.startswith(up) and up)
            else:
                cut["PUBACK"] += 1
                broker.sendall(PUBACK)
                down = receive(device, len(PUBACK))
                self.assertTrue(PUBACK.startswith(down) and 0 < len(down) < len(PUBACK))
            self.assertEqual(ended(device), b"")
        self.assertGreater(min(cut.values()), 0, cut)

    def test_withheld_pubacks_never_come_all_else_does(self):
        self.start()
        device, broker = self.pair()
        self.proxy.strike("withhold")
        broker.sendall(PUBACK * 3 + mqtt.PINGREQ_PACKET)
        self.assertEqual(receive(device, 2), mqtt.PINGREQ_PACKET)
        self.passes(device, broker)

    def test_one_withheld_puback(self):
        self.start()
        device, broker = self.pair()
        self.proxy.strike("withhold-one")
        broker.sendall(mqtt.puback_packet(1) + mqtt.puback_packet(2))
        self.assertEqual(receive(device, 4), mqtt.puback_packet(2))

    def test_a_fault_that_needs_packets_without_them(self):
        self.start(packets=False)
        for fault in ("cut", "withhold", "no such thing"):
            with self.assertRaises(ValueError):
                self.proxy.strike(fault)


def receive(end, size):
    """So many bytes, or fewer where the end comes first."""
    got = b""
    while len(got) < size and (more := end.recv(size - len(got))):
        got += more
    return got


def ended(end):
    """What comes before the end: b"" for nothing, whether by FIN or by RST."""
    with contextlib.suppress(ConnectionError):
        return receive(end, 1)
    return b""


if __name__ == "__main__":
    unittest.main()
