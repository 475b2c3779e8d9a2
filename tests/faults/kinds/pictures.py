"""Inference fps while the network fails without end, against undisturbed runs before and after, in turn."""

import statistics

from outcome import Fault
from stage import KEEP_ALIVE, Stage

KINDS = ("reset", "stall", "half-open", "cut", "withhold")
RUN_RECORDS = 40  # of 200 ms each, after the warm-up
WARM_RECORDS = 5
LEAST_RATIO = 0.95


def play(task, outcome):
    with Stage(task.chance) as stage:
        device = {plain: stage.device(f"pi-{'plain' if plain else 'tls'}", plain=plain) for plain in (False, True)}

        def run(kind):
            plain = kind in ("cut", "withhold")
            return fps(device[plain], kind, RUN_RECORDS)

        ratios = {kind: [] for kind in KINDS}
        for _ in range(task.count // len(KINDS)):
            before = run("pass")
            for kind in KINDS:
                disturbed = run(kind)
                after = run("pass")
                ratios[kind].append(disturbed / statistics.mean((before, after)))
                before = after
                task.one_done(f"{kind} {ratios[kind][-1]:.3f}")
        for each in device.values():
            stage.settle(each)
            outcome.add(each.ledger)
    outcome.count = task.count
    outcome.promise_delivery()
    for kind in KINDS:
        ratio = round(statistics.median(ratios[kind]), 3)
        outcome.figures[f"{kind}_fps_ratio"] = ratio
        outcome.promise(ratio >= LEAST_RATIO, f"{kind}: {ratio} of the undisturbed fps")


def fps(device, kind, records):
    """Of the clip as fast as one thread can go, over one run."""
    device.proxy.set_mode(kind)
    device.start(*device.clip(), "--interval", "200ms", *KEEP_ALIVE)
    device.wait_for_lines(WARM_RECORDS)
    first = device.ledger.newest
    device.wait_for_lines(WARM_RECORDS + records)
    last = device.ledger.newest
    device.terminate()
    return (last["frames"]["seen"] - first["frames"]["seen"]) * 1000 / (last["time_ms"] - first["time_ms"])


FAULTS = [Fault("pictures", "a network that fails without end: inference fps within 5 % of undisturbed", full=30, short=0, wave=0,
                play=play)]  # nothing for the short form: what runs beside it slows whom it likes
