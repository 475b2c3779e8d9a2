"""The broker is killed and started again while 50 records a second are made."""

import time

from outcome import Fault
from stage import KEEP_ALIVE, Stage, in_parallel, pause, shares

LANES = {True: 3, False: 2}
ROUNDS_A_RUN = 2  # then glimpse begins anew: its back-off, forgotten after 30 healthy seconds alone, would grow to minutes
LONG_OUTAGE_S = 90  # long enough for the back-off to reach its cap of 60 s
RECONNECT_LIMIT_S = 60 + 5
BUSY_S = 0.25


def play(task, outcome):
    long_rounds = 2 if task.full else 0
    lanes = [(rounds, False) for rounds in shares(task.count - long_rounds, LANES[task.full])] + [(1, True)] * long_rounds
    in_parallel([lambda lane=lane: play_lane(task, outcome, *lane) for lane in lanes])
    outcome.count = task.count
    figures = outcome.figures
    outcome.promise_delivery(task.count)
    outcome.promise(figures["reconnect_max_s"] <= RECONNECT_LIMIT_S, f"reconnected after {figures['reconnect_max_s']} s only")
    outcome.promise(figures["too_many_attempts"] == 0, f"more than one connection attempt a second in {figures['too_many_attempts']} outages")


def play_lane(task, outcome, rounds, long_outage):
    with Stage(task.chance) as stage:
        device = stage.device("pi-kill")
        for number in range(rounds):
            if number % ROUNDS_A_RUN == 0:
                if device.running():
                    device.terminate()
                device.start(*device.pace(50), *KEEP_ALIVE)
                device.wait_for_lines(1)
            # What waited is being sent, or the live records are: either way the link is up and busy.
            arrived = device.ledger.arrived
            device.wait(lambda: device.ledger.arrived >= arrived + 25, "records that flow")
            pause(task.chance, 0, 1)
            device.proxy.set_mode("refuse")
            killed = time.monotonic()
            stage.kill_broker()
            pause(task.chance, LONG_OUTAGE_S if long_outage else 0, LONG_OUTAGE_S + 20 if long_outage else 2)
            stage.restart_broker()
            opened = time.monotonic()
            device.proxy.set_mode("pass")
            device.wait(lambda: device.ledger.last_received_s > opened, "the reconnection", RECONNECT_LIMIT_S * 3)
            with task.lock:
                note(outcome.figures, device, killed, opened)
            task.one_done()
        stage.settle(device)
        with task.lock:
            outcome.add(device.ledger)


def note(figures, device, killed, opened):
    took = round(device.ledger.last_received_s - opened, 1)
    figures["reconnect_max_s"] = max(figures.get("reconnect_max_s", 0), took)
    attempts = device.proxy.attempts_since(killed)
    refused = [moment for moment, mode in attempts if mode == "refuse"]
    figures["refused_attempts"] = figures.get("refused_attempts", 0) + len(refused)
    # One each second: in n seconds n + 1. A single gap may look shorter by what a busy machine delays.
    too_many = len(refused) > 1 and len(refused) > refused[-1] - refused[0] + 1 + BUSY_S
    figures["too_many_attempts"] = figures.get("too_many_attempts", 0) + too_many


FAULTS = [Fault("broker-kill", "broker SIGKILL and restart at 50 records/s: nothing lost, back within 65 s, one attempt a second",
                full=100, short=10, wave=2, play=play)]
