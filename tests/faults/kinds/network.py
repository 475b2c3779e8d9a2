"""What the proxy does to a connection in use: each fault strikes at a random moment, and the way is open again."""

import time

from outcome import Fault
from stage import KEEP_ALIVE, KEEP_ALIVE_S, Stage, in_parallel, pause, shares

FOUND_LIMIT_S = 30 + 3  # without a PUBACK
IDLE_FOUND_LIMIT_S = 1.5 * KEEP_ALIVE_S + 3  # where nothing is sent
BACK_LIMIT_S = 60 + 5  # the back-off's cap, and an attempt
SLOW_FOR_S = 15
PATIENCE_S = 150


class Kind:
    def __init__(self, strike, devices, plain=False, silent=False, idle=False):
        self.strike = strike
        self.devices, self.plain, self.idle = devices, plain, idle
        self.silent = silent  # the device has to find it out by itself

    def __call__(self, task, outcome):
        # Few rounds a device: its back-off grows with each until 30 healthy seconds have passed.
        parts = self.devices if task.full else max(1, self.devices // 2)
        with Stage(task.chance) as stage:
            lanes = [(stage.device(f"pi-{number}", plain=self.plain), rounds)
                     for number, rounds in enumerate(shares(task.count, parts))]
            times = in_parallel([lambda lane=lane: self.play_lane(task, stage, *lane) for lane in lanes])
            for device, _ in lanes:
                outcome.add(device.ledger)
        outcome.count = task.count
        outcome.promise_delivery(task.count)
        found_s, back_s = (round(max(column), 1) for column in zip(*(pair for lane in times for pair in lane)))
        if self.silent:
            outcome.figures["found_max_s"] = found_s
            outcome.promise(found_s <= (IDLE_FOUND_LIMIT_S if self.idle else FOUND_LIMIT_S), f"found out after {found_s} s only")
        outcome.figures["back_max_s"] = back_s
        outcome.promise(back_s <= BACK_LIMIT_S, f"back after {back_s} s only")

    def play_lane(self, task, stage, device, rounds):
        times = []
        pace = ["--fps", 5, "--interval", "1h", "--events-per-hour", 0] if self.idle else device.pace(5)
        device.start(*pace, *KEEP_ALIVE)
        for _ in range(rounds):
            self.wait_for_flow(device)
            pause(task.chance, 0, 1)
            times.append(self.play_slow(task, device) if self.strike == "slow" else self.play_once(device))
            task.one_done()
        stage.settle(device)
        return times

    def wait_for_flow(self, device):
        if self.idle:
            sessions = connections_told(device)
            device.wait(lambda: sessions or connections_told(device) > sessions, "the connection")
        else:
            arrived = device.ledger.arrived
            device.wait(lambda: device.ledger.arrived >= arrived + 5, "records that flow")

    def play_once(self, device):
        """Seconds until the device gave the connection up, and from there until it was back."""
        proxy, sessions = device.proxy, connections_told(device)
        struck = time.monotonic()
        proxy.strike(self.strike)
        found = struck
        if self.silent:
            device.wait(lambda: proxy.closings_since(struck), f"{self.strike} to be found out", PATIENCE_S)
            found = proxy.closings_since(struck)[0]
        device.wait(lambda: proxy.attempts_since(struck), "another attempt", PATIENCE_S)
        attempt = proxy.attempts_since(struck)[0][0]
        device.wait(lambda: connections_told(device) > sessions and (self.idle or device.ledger.last_received_s > attempt),
                    "records that come back", PATIENCE_S)
        return found - struck, time.monotonic() - found

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


def connections_told(device):
    return sum("telemetry: connected to" in line for line in list(device.errors))


def fault(name, words, full, short, *kind, **options):
    return Fault(name, f"{words}: nothing lost, found in time, back within 65 s", full=full, short=short, wave=1,
                 play=Kind(*kind, **options))


FAULTS = [
    fault("reset", "RST on a connection in use", 50, 5, "reset", 10),
    fault("stall", "not one byte more, the connection stays", 50, 5, "stall", 10, silent=True),
    fault("half-open", "the broker's side is gone unnoticed", 50, 5, "half-open", 10, silent=True),
    fault("half-open-idle", "the same while nothing is sent", 5, 0, "half-open", 5, silent=True, idle=True),
    fault("cut-packet", "closed in the middle of a PUBLISH or PUBACK", 50, 5, "cut", 10, plain=True),
    fault("withheld-puback", "PUBACKs never come", 50, 5, "withhold", 10, plain=True, silent=True),
    fault("one-puback", "one PUBACK never comes, all others do", 10, 1, "withhold-one", 10, plain=True, silent=True),
    fault("slow", "20 bytes a second for a while", 10, 2, "slow", 5),
]
