"""glimpse is killed at a random moment and started again on the same outbox."""

from outcome import Fault
from stage import Stage, in_parallel, pause, shares

LANES = 3


def play(task, outcome):
    in_parallel([lambda rounds=rounds: play_lane(task, outcome, rounds) for rounds in shares(task.count, LANES)])
    outcome.count = task.count
    outcome.promise_delivery(task.count)
    outcome.promise(outcome.figures["clean_restarts"] == task.count, f"{outcome.figures['clean_restarts']} clean restarts")


def play_lane(task, outcome, rounds):
    with Stage(task.chance) as stage:
        device = stage.device("pi-kill")
        clean, worst = 0, 0
        for number in range(rounds):
            duplicates = device.ledger.duplicates
            device.start(*device.pace(50))
            if task.chance.random() < 0.8:
                device.wait_for_lines(1)
            pause(task.chance, 0, 2)
            device.kill()
            # Clean: after the kill before, it started and made records, or at least did not end by itself.
            clean += device.process.returncode == -9 and not list(device.state.glob("*.damaged-*"))
            stage.subscriber.barrier()
            worst = max(worst, device.ledger.duplicates - duplicates)
            if device.ledger.duplicates > 20 * number:
                outcome.promise(False, f"{device.ledger.duplicates} duplicates after {number} kills, at most 20 each")
            task.one_done()
        stage.settle(device)
        with task.lock:
            outcome.add(device.ledger)
            figures = outcome.figures
            figures["clean_restarts"] = figures.get("clean_restarts", 0) + clean
            figures["unprinted"] = figures.get("unprinted", 0) + device.ledger.unprinted
            figures["duplicates_max_a_run"] = max(figures.get("duplicates_max_a_run", 0), worst)


FAULTS = [Fault("program-kill", "glimpse SIGKILL at a random moment: no accepted record lost, at most 20 duplicates a kill",
                full=200, short=20, wave=2, play=play)]
