"""What the proxy does to a connection in use: each fault strikes at a random moment, and the way is open again."""

import time

from outcome import Fault
from stage import KEEP_ALIVE, Stage, in_parallel, pause, shares

FOUND_LIMIT_S = 45 + 5  # 1.5 times the keep-alive, and an attempt's time
BACK_LIMIT_S = 60 + 5  # the back-off's cap
SLOW_FOR_S = 15
PATIENCE_S = 240


class Kind:
    def __init__(self, strike, devices, plain=False, rest=None):
        self.strike, self.devices, self.plain, self.rest = strike, devices, plain, rest

    def __call__(self, task, outcome):
        # Few rounds a device: its back-off grows with each until 30 healthy seconds have passed.
        parts = self.devices if task.full else max(1, self.devices // 2)
        with Stage(task.chance) as stage:
            lanes = [(stage.device(f"pi-{number}", plain=self.plain), rounds)
                     for number, rounds in enumerate(shares(task.count, parts))]
            found = in_parallel([lambda first=first, lane=lane: self.play_lane(task, stage, first, *lane)
                                 for first, lane in enumerate(lanes)])
            for device, _ in lanes:
                outcome.add(device.ledger)
        outcome.count = task.count
        outcome.promise_delivery(task.count)
        times = [times for lane in found for times in lane]
        if times and self.strike != "slow":
            outcome.figures["found_max_s"] = round(max(found_s for found_s, _ in times), 1)
            outcome.promise(outcome.figures["found_max_s"] <= FOUND_LIMIT_S, f"found after {outcome.figures['found_max_s']} s only")
        outcome.figures["back_max_s"] = round(max(back_s for _, back_s in times), 1)
        outcome.promise(outcome.figures["back_max_s"] <= BACK_LIMIT_S, f"back after {outcome.figures['back_max_s']} s only")

    def play_lane(self, task, stage, first, device, rounds):
        times = []
        device.start(*device.pace(5), *KEEP_ALIVE)
        for number in range(first, first + rounds):
            arrived = device.ledger.arrived
            device.wait(lambda: device.ledger.arrived >= arrived + 5, "records that flow")
            pause(task.chance, 0, 1)
            times.append(self.play_slow(task, device) if self.strike == "slow" else self.play_once(task, device, number))
            task.one_done()
        stage.settle(device)
        return times

    def play_once(self, task, device, number):
        proxy = device.proxy
        kind = self.rest if self.rest and number % 2 else self.strike
        struck = time.monotonic()
        proxy.strike(kind)
        device.wait(lambda: proxy.attempts_since(struck), f"{kind} to be found out", PATIENCE_S)
        attempt = proxy.attempts_since(struck)[0][0]
        device.wait(lambda: device.ledger.last_received_s > attempt, "records that come back", PATIENCE_S)
        return attempt - struck, device.ledger.last_received_s - attempt

    def play_slow(self, task, device):
        """A few bytes a second, then all is well; sessions may break meanwhile or not."""
        proxy = device.proxy
        proxy.set_mode("slow")
        proxy.strike("slow")
        pause(task.chance, SLOW_FOR_S / 2, SLOW_FOR_S)
        proxy.set_mode("pass")
        proxy.strike("pass")
        healed = time.monotonic()
        device.wait(lambda: device.ledger.last_received_s > healed + 1, "records that come back", PATIENCE_S)
        return 0, device.ledger.last_received_s - healed


def fault(name, words, full, short, *kind, **options):
    return Fault(name, f"{words}: nothing lost, found within 50 s, back within 65 s", full=full, short=short, wave=1,
                 play=Kind(*kind, **options))


FAULTS = [
    fault("reset", "RST on a connection in use", 50, 5, "reset", 10),
    fault("stall", "not one byte more, the connection stays", 50, 5, "stall", 10),
    fault("half-open", "the broker's side is gone unnoticed", 50, 5, "half-open", 10),
    fault("cut-packet", "closed in the middle of a PUBLISH or PUBACK", 50, 5, "cut", 10, plain=True),
    fault("withheld-puback", "PUBACKs, or one of them, never come", 50, 5, "withhold", 10, plain=True, rest="withhold-one"),
    fault("slow", "20 bytes a second for a while", 10, 2, "slow", 5),
]
