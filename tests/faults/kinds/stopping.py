"""SIGTERM in any state: exit 0 within three seconds, and what was accepted arrives with the next run at the latest."""

from outcome import Fault
from stage import Stage, in_parallel, pause, shares

LANES = 2
LIMIT_S = 3


def starting(device, chance):
    """While libraries and model are loaded. The signal is caught from the first moment of main on."""
    device.wait(lambda: catches_sigterm(device.process.pid), "the signal handling")
    pause(chance, 0, 1)


def flowing(device, chance):
    device.wait_for_lines(1)
    pause(chance, 0, 1)


def refused(device, chance):
    device.proxy.set_mode("refuse")
    flowing(device, chance)


def handshaking(device, chance):
    device.proxy.set_mode("stall")
    flowing(device, chance)


def struck(kind):
    def strike(device, chance):
        arrived = device.ledger.arrived
        device.wait(lambda: device.ledger.arrived > arrived, "records that flow")
        device.proxy.set_mode(kind)
        device.proxy.strike(kind)
        pause(chance, 0, 2)

    return strike


STATES = {"starting": starting, "flowing": flowing, "refused": refused, "handshaking": handshaking,
          **{kind: struck(kind) for kind in ("reset", "stall", "half-open", "slow")}}


def play(task, outcome):
    names = [list(STATES)[number % len(STATES)] for number in range(task.count)]
    task.chance.shuffle(names)
    starts = shares(task.count, LANES)
    lanes = [names[sum(starts[:number]) : sum(starts[: number + 1])] for number in range(len(starts))]
    in_parallel([lambda lane=lane: play_lane(task, outcome, lane) for lane in lanes])
    outcome.count = task.count
    outcome.promise_delivery()


def play_lane(task, outcome, states):
    with Stage(task.chance) as stage:
        device = stage.device("pi-stop")
        for state in states:
            device.proxy.set_mode("pass")
            device.start(*device.pace(50))
            STATES[state](device, task.chance)
            status, took_s = device.terminate()
            with task.lock:
                outcome.figures["slowest_s"] = max(round(took_s, 2), outcome.figures.get("slowest_s", 0))
                outcome.promise(status == 0, f"{state}: exit status {status}")
                outcome.promise(took_s <= LIMIT_S, f"{state}: {took_s:.1f} s")
            task.one_done(state)
        stage.settle(device)
        with task.lock:
            outcome.add(device.ledger)


def catches_sigterm(pid):
    """SigCgt is the mask of the signals that have a handler; bit 14 is SIGTERM (proc(5))."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return any(line.startswith("SigCgt:") and int(line.split()[1], 16) >> 14 & 1 for line in status)


FAULTS = [Fault("sigterm", "SIGTERM in any state: exit 0 within 3 s, nothing lost", full=100, short=10, wave=3, play=play)]
