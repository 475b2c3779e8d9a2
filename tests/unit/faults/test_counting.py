"""What the ledger sees: lost, twice, altered, half a line."""

import unittest

from parts import record

from counting import Ledger
from outcome import Outcome


class Counting(unittest.TestCase):
    def ledger(self, accepted, received):
        ledger = Ledger()
        for payload in accepted:
            ledger.accept(payload + b"\n")
        for payload in received:
            ledger.receive(payload)
        return ledger

    def outcome(self, *lists, faults=1):
        outcome = Outcome("a fault")
        outcome.add(self.ledger(*lists))
        outcome.promise_delivery(faults)
        return outcome

    def test_all_is_well(self):
        found = self.outcome([record(1), record(2)], [record(1), record(2)])
        self.assertEqual((found.accepted, found.received, found.lost, found.duplicates, found.broken), (2, 2, 0, 0, []))

    def test_a_lost_record_is_seen_and_breaks_the_promise(self):
        found = self.outcome([record(1), record(2), record(3)], [record(1), record(3)])
        self.assertEqual((found.accepted, found.received, found.lost), (3, 2, 1))
        self.assertEqual(len(found.broken), 1)
        self.assertEqual(self.ledger([record(1), record(2)], [record(1)]).missing(), {("d", "b", 2)})

    def test_a_duplicate_of_another_does_not_make_up_for_a_lost_one(self):
        found = self.outcome([record(1), record(2)], [record(1), record(1)])
        self.assertEqual((found.received, found.lost, found.duplicates), (1, 1, 1))

    def test_the_same_number_of_another_run_or_device_is_another_record(self):
        found = self.outcome([record(1), record(1, boot="c"), record(1, device="e")], [record(1)])
        self.assertEqual(found.lost, 2)

    def test_twenty_duplicates_a_fault_are_harmless_one_more_is_not(self):
        self.assertEqual(self.outcome([record(1)], [record(1)] * 21).broken, [])
        self.assertEqual(len(self.outcome([record(1)], [record(1)] * 22).broken), 1)
        self.assertEqual(self.outcome([record(1)], [record(1)] * 41, faults=2).broken, [])

    def test_one_that_arrives_before_its_line_is_read(self):
        ledger = Ledger()
        ledger.receive(record(1))
        self.assertEqual((ledger.accepted, ledger.received, ledger.arrived, ledger.unprinted), (0, 0, 1, 1))
        ledger.accept(record(1) + b"\n")
        self.assertEqual((ledger.accepted, ledger.received, ledger.unprinted, ledger.missing()), (1, 1, 0, set()))

    def test_altered_on_its_way(self):
        found = self.outcome([record(1, value=1)], [record(1, value=2)])
        self.assertEqual(found.figures, {"altered": 1})
        self.assertEqual(found.broken, ["records arrived altered"])
        late = Ledger()
        late.receive(record(1, value=2))
        late.accept(record(1, value=1) + b"\n")
        self.assertEqual(late.altered, 1)

    def test_what_is_no_record_is_seen_too(self):
        for payload in (b"", b"{}", b"[1]", b"\xff", record(1)[:-1]):
            self.assertEqual(self.ledger([], [payload]).altered, 1)

    def test_a_line_that_a_kill_cut_was_never_accepted(self):
        ledger = Ledger()
        ledger.accept(record(1))
        ledger.accept(record(2)[:20])
        self.assertEqual(ledger.accepted, 0)


if __name__ == "__main__":
    unittest.main()
