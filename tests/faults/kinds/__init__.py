"""The faults, in the order of the table."""

from kinds import broker_kill, database, disk_full, network, offline, pictures, program_kill, refusals, stopping

FAULTS = [fault for module in (broker_kill, program_kill, network, pictures, disk_full, offline, database, refusals, stopping)
          for fault in module.FAULTS]
