"""What processes use, from /proc."""

import dataclasses
import os
import pathlib

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
MIB = 1024  # KiB


def cpu_s(pids):
    """User and system time so far, of all their threads."""
    return sum(sum(map(int, stat_fields(f"/proc/{pid}/stat")[11:13])) for pid in pids) * TICK_S


def busy_s():
    """Of the whole machine, all cores; waiting for a disk is idle, and so is what the host takes (steal)."""
    user, nice, system, _, _, irq, softirq = map(int, pathlib.Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) * TICK_S


def stat_fields(path):
    """From the third on: the second is a name in parentheses, which may hold anything."""
    return pathlib.Path(path).read_text().rpartition(")")[2].split()


@dataclasses.dataclass
class Memory:
    rss_mib: float = 0
    private_mib: float = 0  # what a process has that no other one maps


def memory(pids):
    total = Memory()
    for pid in pids:
        sizes = {}
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, size = line.split()[:2]
            sizes[name] = int(size)
        total.rss_mib += sizes["Rss:"] / MIB
        total.private_mib += (sizes["Private_Clean:"] + sizes["Private_Dirty:"]) / MIB
    return total


def threads(pids):
    return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in pids)


def files(pids):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def wakeups(pids):
    """How often their threads have gone to sleep by themselves so far: as often as they were woken."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
    return total
