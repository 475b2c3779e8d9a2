"""As much of MQTT 3.1.1 as a proxy that looks into it and a subscriber need."""

import struct

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
PINGREQ_PACKET = b"\xc0\x00"


def kind(packet):
    return packet[0] >> 4


def take_packets(buffer):
    """Takes the complete packets off the front of a bytearray; what is not yet complete stays in it."""
    packets = []
    while (size := _size(buffer)) is not None and len(buffer) >= size:
        packets.append(bytes(buffer[:size]))
        del buffer[:size]
    return packets


def _size(buffer):
    """Bytes of the packet that begins here; None: too few bytes to tell. MQTT 3.1.1, 2.2.3."""
    remaining = 0
    for place, byte in enumerate(buffer[1:5]):
        remaining |= (byte & 127) << (7 * place)
        if byte < 128:
            return 2 + place + remaining
    if len(buffer) >= 5:
        raise ValueError("not MQTT: a remaining length of more than four bytes")
    return None


def _packet(first, body):
    length, encoded = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (128 if length else 0))
        if not length:
            return bytes([first]) + bytes(encoded) + body


def _text(value):
    return struct.pack(">H", len(value.encode())) + value.encode()


def connect_packet(client_id):
    """A clean session without keep-alive."""
    return _packet(0x10, _text("MQTT") + bytes([4, 2]) + struct.pack(">H", 0) + _text(client_id))


def subscribe_packet(topic, packet_id=1):
    """At QoS 0: the broker hands a message to this subscriber before it acknowledges it to its publisher."""
    return _packet(0x82, struct.pack(">H", packet_id) + _text(topic) + b"\x00")


def publish_packet(topic, payload, packet_id=1, qos=1):
    identifier = struct.pack(">H", packet_id) if qos else b""
    return _packet(0x30 | qos << 1, _text(topic) + identifier + payload)


def puback_packet(packet_id=1):
    return _packet(0x40, struct.pack(">H", packet_id))


def read_publish(packet):
    """Topic and payload of a PUBLISH."""
    start = 1
    while packet[start] >= 128:
        start += 1
    start += 1
    (length,) = struct.unpack_from(">H", packet, start)
    topic = packet[start + 2 : start + 2 + length].decode()
    body = start + 2 + length + (2 if packet[0] & 0x06 else 0)
    return topic, packet[body:]
