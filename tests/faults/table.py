"""The outcomes for people and for programs."""

import dataclasses
import json

HEAD = ("fault", "count", "device", "accepted", "received", "lost", "duplicates", "seconds")


def json_line(outcome):
    return json.dumps(dataclasses.asdict(outcome), ensure_ascii=False)


def text(outcomes):
    rows = [HEAD]
    for outcome in outcomes:
        figures = [str(getattr(outcome, name)) for name in HEAD[1:-1]] + [f"{outcome.seconds:.0f}"]
        rows.append((outcome.fault, *(["-"] * len(figures) if outcome.skipped else figures)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) if column in (0, 2) else cell.rjust(width)
                       for column, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]
    for outcome in outcomes:
        if outcome.skipped:
            lines.append(f"{outcome.fault}: skipped: {outcome.skipped}")
        elif outcome.figures:
            lines.append(f"{outcome.fault}: " + ", ".join(f"{name} {value}" for name, value in outcome.figures.items()))
    broken = [f"BROKEN {outcome.fault}: {words}" for outcome in outcomes for words in outcome.broken]
    return "\n".join(lines + (broken or ["every promise was kept"]))
