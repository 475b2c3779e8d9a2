"""Packets as MQTT 3.1.1 has them; the bytes are from the standard's own examples."""

import unittest

import parts  # noqa: F401

import mqtt


class Packets(unittest.TestCase):
    def test_the_lengths_of_table_2_4(self):
        for length, encoded in ((0, "00"), (127, "7f"), (128, "8001"), (16383, "ff7f"), (16384, "808001"), (2097151, "ffff7f"),
                                (2097152, "80808001")):
            whole = bytes.fromhex("30" + encoded) + bytes(length)
            self.assertEqual(mqtt.publish_packet("", bytes(length - 2), qos=0) if length >= 2 else whole, whole)
            buffer = bytearray(whole + b"\xc0\x00\x30")
            self.assertEqual(mqtt.take_packets(buffer), [whole, b"\xc0\x00"])
            self.assertEqual(buffer, b"\x30")

    def test_byte_by_byte(self):
        whole, buffer, taken = mqtt.publish_packet("a/b", b"x" * 300), bytearray(), []
        for byte in whole:
            self.assertEqual(taken, [])
            buffer.append(byte)
            taken += mqtt.take_packets(buffer)
        self.assertEqual(taken, [whole])

    def test_what_is_not_mqtt(self):
        with self.assertRaises(ValueError):
            mqtt.take_packets(bytearray(b"\x30\xff\xff\xff\xff\xff"))

    def test_a_publish_is_read_at_either_qos(self):
        for qos in (0, 1):
            for size in (0, 10, 200, 20000):
                packet = mqtt.publish_packet("glimpse/ü", b"x" * size, qos=qos)
                self.assertEqual(mqtt.kind(packet), mqtt.PUBLISH)
                self.assertEqual(mqtt.read_publish(packet), ("glimpse/ü", b"x" * size))

    def test_the_example_of_figure_3_11(self):
        # Topic a/b, packet identifier 10, QoS 1.
        self.assertEqual(mqtt.read_publish(bytes.fromhex("32070003612f62000a")), ("a/b", b""))


if __name__ == "__main__":
    unittest.main()
