"""The order of the rounds, and what glimpse bench's lines become."""

import unittest

from parts import Silent

from comparison.contests import Contest
from comparison.rounds import figures, measure

ASKED = {"float": {"onednn": 2.0}, "int8": {"onednn": 1.0}}


class Peer(Contest):
    """Notes its turns; fails in the round `fails_in`."""

    turns, fails_in = None, 0

    def measure(self, ours):
        self.turns.append(self.name)
        self.rounds.append(ours)
        if len(self.rounds) == self.fails_in:
            self.skipped = "it ended"


class Order(unittest.TestCase):
    def measured(self, rounds, *settings, fails_in=0):
        self.turns = []

        def ask_glimpse(doing, threads):
            self.turns.append(f"glimpse {threads}")
            return ASKED

        peers = [Peer("ort", precision, threads, name=name) for name, precision, threads in settings]
        for peer in peers:
            peer.turns = self.turns
        peers[0].fails_in = fails_in
        measure(peers, rounds, ask_glimpse, Silent())
        return peers

    def test_glimpse_before_its_peers_in_each_round_and_for_each_number_of_threads(self):
        self.measured(2, ("a", "float", 1), ("b", "int8", 1), ("c", "float", 2))
        self.assertEqual(self.turns, ["glimpse 1", "a", "b", "glimpse 2", "c"] * 2)

    def test_each_peer_is_held_against_glimpse_s_own_turn_in_its_precision(self):
        a, b = self.measured(1, ("a", "float", 1), ("b", "int8", 1))
        self.assertEqual((a.rounds, b.rounds), ([ASKED["float"]], [ASKED["int8"]]))

    def test_a_peer_that_failed_is_not_asked_again_nor_glimpse_for_it_alone(self):
        self.measured(3, ("a", "float", 1), ("b", "int8", 2), fails_in=2)
        self.assertEqual(self.turns, ["glimpse 1", "a", "glimpse 2", "b"] * 2 + ["glimpse 2", "b"])


class Lines(unittest.TestCase):
    LINES = [
        {"precision": "float", "backend": "torch", "network_ms": {"p50": 17.0}, "fps": 50.0},
        {"precision": "int8", "backend": "onednn", "network_ms": {"p50": 3.0}, "fps": 200.0},
        {"precision": "int8", "backend": "onednn", "network_ms": {"p50": 9.0}, "fps": 90.0},  # in xnnpack's place
    ]

    def test_of_the_network_and_of_the_clip(self):
        self.assertEqual(figures(self.LINES, in_fps=False), {"float": {"torch": 17.0}, "int8": {"onednn": 3.0}})
        self.assertEqual(figures(self.LINES, in_fps=True), {"float": {"torch": 50.0}, "int8": {"onednn": 200.0}})


if __name__ == "__main__":
    unittest.main()
