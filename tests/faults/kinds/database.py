"""The outbox's file is truncated, bit-flipped or replaced: every row that SQLite can still read, its checksum intact, arrives."""

import contextlib
import hashlib
import json
import shutil
import sqlite3

from counting import Ledger
from devices import DeviceFault, Glimpse, Probe
from outcome import Fault
from stage import Stage, in_parallel, shares

LANES = 6
RECORDS = 100
EVERY_REAL = 10  # each tenth is played to the real program, the others to the probe
PATIENCE_S = 60
MAX_BAD = 10  # are told in full


def play(task, outcome):
    outcome.device, outcome.count = "probe, each tenth glimpse", task.count
    with Stage(task.chance) as stage:
        templates = [template(stage, killed) for killed in (False, True)]
        lanes = []
        for number, rounds in enumerate(shares(task.count, LANES)):
            lanes.append(([stage.device(f"pi-{number}", make=make) for make in (Probe, Glimpse)], rounds))
        in_parallel([lambda lane=lane: play_lane(task, outcome, stage, templates, *lane) for lane in lanes])
    outcome.promise_delivery()
    outcome.promise(outcome.figures["crashes"] == 0, f"{outcome.figures['crashes']} crashes")


def template(stage, killed):
    """A database with RECORDS waiting: in the database after a clean stop, in its write-ahead log, too, after a kill."""
    device = stage.device(f"pi-{'killed' if killed else 'stopped'}", make=Probe)
    device.proxy.set_mode("refuse")
    device.start("--records", RECORDS, "--rate", 1000, "--hold")
    device.wait_for_lines(RECORDS)
    device.kill() if killed else device.terminate()
    return device.database


def play_lane(task, outcome, stage, templates, devices, rounds):
    for number in range(rounds):
        device = devices[number % EVERY_REAL == EVERY_REAL - 1 or task.count < 50 and number == 0]
        place(task.chance.choice(templates), device)
        how = damage(device.database, task.chance)
        intact = readable(device.database, stage.folder / f"look-{device.name}")
        device.errors.clear()
        ledger = device.ledger = stage.ledgers[device.name] = Ledger()
        for payload in intact:
            ledger.accept(payload + b"\n")
        try:
            crashed = run_until_arrived(device, ledger) != 0
        except DeviceFault:
            device.close()
            crashed = True
        stage.subscriber.barrier()
        with task.lock:
            figures = outcome.figures
            figures["crashes"] = figures.get("crashes", 0) + crashed
            figures["intact_rows"] = figures.get("intact_rows", 0) + len(intact)
            missing = len(ledger.missing())
            if missing or crashed:
                bad = f"{how}: {missing} of {len(intact)} intact rows missing, ended with {device.process.returncode}: {device.last_words()}"
                figures["bad"] = [*figures.get("bad", []), bad][:MAX_BAD]
            outcome.add(ledger)
        task.one_done()


def place(template_database, device):
    """A copy of the template's files, under this device's name."""
    shutil.rmtree(device.state)
    device.state.mkdir(mode=0o700)
    for path in files_of(template_database):
        shutil.copy(path, f"{device.database}{path.name.removeprefix(template_database.name)}")


def files_of(database):
    """The database and its write-ahead log."""
    return [path for path in (database, database.with_name(database.name + "-wal")) if path.exists()]


def run_until_arrived(device, ledger):
    """One run on the damaged file; gives its exit status."""
    if isinstance(device, Probe):
        device.start("--records", 1, "--rate", 1)
        return device.wait_for_end(PATIENCE_S)
    device.start(*device.pace(2))
    device.wait_for_lines(1)
    expected = ledger.missing()
    device.wait(lambda: not ledger.still_missing(expected), "the intact rows", PATIENCE_S)
    return device.terminate()[0]


def damage(database, chance):
    """Does one of them to one of the files; tells which."""
    path = chance.choice([path for path in files_of(database) if path.stat().st_size])
    content = bytearray(path.read_bytes())
    how = chance.choice(("truncated", "bits flipped", "header", "page of zeros", "text"))
    if how == "truncated":
        del content[chance.randrange(len(content)) :]
    elif how == "bits flipped":
        for _ in range(chance.choice((1, 4, 64))):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif how == "header":
        content[chance.randrange(100)] ^= 1 << chance.randrange(8)
    elif how == "page of zeros":
        start = chance.randrange(len(content) // 4096) * 4096 if len(content) >= 4096 else 0
        content[start : start + 4096] = bytes(len(content[start : start + 4096]))
    else:
        content = b"this is not a database\n" * chance.randint(0, 1000)
    path.write_bytes(content)
    return f"{path.name} {how}"


def readable(database, scratch):
    """The payloads that Python's SQLite reads from a copy, from the front, from the back, and row by row, and whose checksum is theirs."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(database.parent, scratch)
    queries = ["SELECT payload, checksum FROM records ORDER BY id", "SELECT payload, checksum FROM records ORDER BY id DESC"]
    queries += [f"SELECT payload, checksum FROM records WHERE id = {row}" for row in range(1, RECORDS + 1)]
    return rows(scratch / database.name, queries)


def rows(database, queries):
    found = set()
    connection = sqlite3.connect(database)
    connection.text_factory = bytes
    for query in queries:
        with contextlib.suppress(sqlite3.Error):
            for payload, checksum in connection.execute(query):
                if isinstance(payload, bytes) and checksum == checksum_of(payload) and is_record(payload):
                    found.add(payload)
    connection.close()
    return found


def checksum_of(payload):
    return int.from_bytes(hashlib.sha256(payload).digest()[:8], "big", signed=True)


def is_record(payload):
    try:
        return isinstance(json.loads(payload), dict)
    except ValueError:
        return False


FAULTS = [Fault("database", "file truncated, bit-flipped, replaced by text: every intact row of a readable file arrives, no crash",
                full=500, short=50, wave=2, play=play)]
