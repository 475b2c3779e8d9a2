"""The disk under the outbox is full, then has space again. Each lane has a small tmpfs, in a mount namespace that ends with us."""

import errno
import os
import re
import subprocess
import sys
import time

from outcome import Fault, Skipped
from stage import Stage, in_parallel, pause, shares

LANES = 4
DISK_MB = 16
FULL_FOR_S = (2, 5)
RECOVER_LIMIT_S = 5
SAID_LIMIT_S = 60
INSIDE = "GLIMPSE_FAULTS_NAMESPACE"
COMPLAINT = re.compile(r"(warning|error): .*(No space left|disk is full|database or disk is full)", re.IGNORECASE)


def namespace():
    """The command that runs another where it may mount; without such a right the fault is skipped."""
    for command in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        able = [*command, "sh", "-c", "mount -t tmpfs none /mnt"]
        if subprocess.run(able, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0:
            return command
    raise Skipped("this user may mount no tmpfs, not even in a namespace of its own (unshare --mount --map-root-user)")


def play(task, outcome):
    if INSIDE not in os.environ:
        command = namespace()
        os.environ[INSIDE] = "1"
        sys.stdout.flush()
        os.execvp(command[0], [*command, sys.executable, *sys.argv])
    in_parallel([lambda rounds=rounds: play_lane(task, outcome, rounds) for rounds in shares(task.count, LANES)])
    outcome.count = task.count
    outcome.promise_delivery()
    said = outcome.figures["said_max_times"]
    outcome.promise(said <= 1, f"a full disk was said {said} times")


def play_lane(task, outcome, rounds):
    with Stage(task.chance) as stage:
        disk = stage.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=700", "none", disk], check=True)
        stage.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=False)
        device = stage.device("pi-disk", state=disk / "state")
        said = [play_round(task, device, disk, number) for number in range(rounds)]
        stage.settle(device)
        with task.lock:
            outcome.add(device.ledger)
            figures = outcome.figures
            figures["said_max_times"] = max(said + [figures.get("said_max_times", 0)])


def play_round(task, device, disk, number):
    # With the broker away the outbox alone can keep a record, and after a kill nothing that was in memory helps: what was printed until
    # the limit must have reached the disk by then. With the broker there, it may go out meanwhile.
    offline = number % 2 == 0
    device.proxy.set_mode("refuse" if offline else "pass")
    device.start(*device.pace(20), "--outbox-mb", 8)
    device.wait_for_lines(20)
    complaints = complaints_of(device)
    filler = disk / "filler"
    fill(filler)
    lines = device.lines
    if offline:  # with the broker there, what comes and goes may fit in what the log already has of the disk
        device.wait(lambda: complaints_of(device) > complaints, "a full disk to be said", SAID_LIMIT_S)
    pause(task.chance, *FULL_FOR_S)
    device.wait_for_lines(lines + 20)  # it goes on without
    filler.unlink()
    freed = device.lines
    time.sleep(RECOVER_LIMIT_S)  # the promise's own limit
    device.wait_for_lines(freed + 20)
    device.kill()
    said = complaints_of(device) - complaints
    task.one_done()
    return said


def complaints_of(device):
    return sum(bool(COMPLAINT.search(line)) for line in list(device.errors))


def fill(path):
    """Until not one byte more fits."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


FAULTS = [Fault("disk-full", "disk full, then space again: said once, goes on, what was accepted is safe 5 s later", full=20, short=2,
                wave=2, play=play)]
