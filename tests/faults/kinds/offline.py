"""No broker for so long that the outbox is at its bound: the oldest go, are counted, and neither memory nor file grows."""

import contextlib
import sqlite3
import time

from devices import Probe
from outcome import Fault
from stage import Stage

RATE = 3_000  # a second; what the disk is too slow for is dropped in memory already, and counted like the rest
BOUND_MB = {True: 64, False: 4}
RSS_GROWTH_LIMIT_MB = 4
FILE_LIMIT = 1.1
LOG_LIMIT_MB = 1  # of the write-ahead log beside it
COMMIT_LIMIT_S = 1800
DRAIN_A_SECOND = 25  # a quarter of what is promised where nobody else wants the machine


def play(task, outcome):
    outcome.device, outcome.count = "probe", task.count
    bound_mb = BOUND_MB[task.full]
    with Stage(task.chance) as stage:
        device = stage.device("pi-offline", make=Probe)
        device.proxy.set_mode("refuse")
        options = ["--outbox-mb", bound_mb]
        device.start("--records", task.count, "--rate", RATE, "--hold", *options)
        watch(task, outcome, device, bound_mb)
        device.terminate()
        waiting = rows(device.database)
        device.proxy.set_mode("pass")
        for _ in range(2):  # the first run empties it; only then the second's record has the last count of those dropped
            device.start("--records", 1, "--rate", 1, *options)
            device.wait_for_end(300 + waiting / DRAIN_A_SECOND)
        stage.subscriber.barrier()
        dropped = device.ledger.newest["outbox"]["dropped"]
        outcome.add(device.ledger)
    made = task.count + 2
    outcome.accepted, outcome.lost = made, made - outcome.received - dropped  # what was dropped is not lost in silence
    outcome.figures |= {"dropped": dropped, "waiting": waiting}
    outcome.promise("altered" not in outcome.figures, "records arrived altered")
    outcome.promise(dropped > 0, "the outbox was never at its bound")
    outcome.promise(outcome.lost == 0, f"dropped {dropped} + received {outcome.received} is not accepted {made}")


def watch(task, outcome, device, bound_mb):
    """Until all are accepted: the resident memory from the moment at which the bound was reached, and the files at their largest."""
    at_bound_kb, most_kb, largest, largest_database = None, 0, 0, 0
    deadline, told = time.monotonic() + COMMIT_LIMIT_S, 0
    while not (device.ledger.newest and device.ledger.newest["seq"] == task.count):
        if not device.running() or time.monotonic() > deadline:
            outcome.promise(False, f"{device.ledger.accepted} of {task.count} accepted: {device.last_words()}")
            break
        time.sleep(0.05)
        newest, rss_kb = device.ledger.newest, device.rss_kb()
        if newest and newest["outbox"]["dropped"] > 0:
            at_bound_kb = at_bound_kb or rss_kb
            most_kb = max(most_kb, rss_kb)
        sizes = {path.name: path.stat().st_size for path in device.state.glob(f"{device.database.name}*") if path.exists()}
        largest, largest_database = max(largest, sum(sizes.values())), max(largest_database, sizes.get(device.database.name, 0))
        if device.ledger.accepted >= told + task.count // 10:
            told = device.ledger.accepted
            task.say(f"{told} of {task.count} accepted, {rss_kb // 1024} MB resident, {sum(sizes.values()) // 10**6} MB on disk")
    growth_mb = round(max(0, most_kb - (at_bound_kb or 0)) / 1024, 1)
    file_mb, with_wal_mb = round(largest_database / 1e6, 1), round(largest / 1e6, 1)
    outcome.figures |= {"rss_growth_mb": growth_mb, "file_max_mb": file_mb, "with_wal_max_mb": with_wal_mb}
    outcome.promise(growth_mb <= RSS_GROWTH_LIMIT_MB, f"resident memory grew by {growth_mb} MB")
    outcome.promise(file_mb <= bound_mb * FILE_LIMIT, f"a file of {file_mb} MB, the bound is {bound_mb}")
    outcome.promise(with_wal_mb <= bound_mb * FILE_LIMIT + LOG_LIMIT_MB, f"{with_wal_mb} MB on disk, the bound is {bound_mb}")


def rows(database):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT count(*) FROM records").fetchone()[0]


FAULTS = [Fault("offline", "offline with the outbox at its bound: dropped + received = accepted, memory and file bounded",
                full=1_000_000, short=20_000, wave=1, play=play)]
