"""The figures for people and for programs."""

from .ratios import ratio


def sentence(facts: dict) -> str:
    machine = facts["machine"]
    return (
        f"{facts['glimpse']} and its peers on {machine['CPU']}; load before {machine['load before']}\n"
        f"{facts['model']}; medians of {facts['rounds']} round{'s'[: facts['rounds'] != 1]} in turn, of {facts['frames']} frames each "
        f"({facts['clip_frames']} of the clip)"
    )


def table(contests: list, facts: dict) -> str:
    lines = [sentence(facts)]
    for in_fps, title in ((False, "network, ms: less is better"), (True, "the clip, fps: more is better")):
        rows = [contest for contest in contests if contest.in_fps == in_fps]
        if any(contest.rounds for contest in rows):
            lines += ["", f"{title:54s}{'glimpse':>17s}{'peer':>9s}{'ratio':>8s}{'from .. to':>17s}{'bound':>10s}"]
            lines += [line(contest) for contest in rows if contest.rounds]
    skipped = [contest for contest in contests if contest.skipped]
    if skipped:
        lines += ["", *(f"{'cut short' if c.rounds else 'skipped'}: {label(c)}: {c.skipped}" for c in skipped)]
    return "\n".join(lines)


def label(contest) -> str:
    threads = {None: "", 1: "1 thread"}.get(contest.threads, f"{contest.threads} threads")
    return f"{contest.precision:7s}{threads:11s}{contest.name}"


def line(contest) -> str:
    found = ratio(contest.rounds, less_is_better=not contest.in_fps)
    verdict = ""
    if contest.bound:
        verdict = f"{contest.bound!s:>10s}  {'ok' if contest.bound.met_by(found.median) else 'missed'}"
    spread = f"{found.low:.2f} .. {found.high:.2f}"
    return (
        f"{label(contest):54s}{found.ours:8.2f} {found.backend:8s}{found.theirs:9.2f}{found.median:8.2f}{spread:>17s}{verdict}"
    )


def objects(contests: list, facts: dict) -> list:
    """One for each line of --json: the facts, then the contests."""
    return [facts, *(contest_object(contest) for contest in contests)]


def contest_object(contest) -> dict:
    told = {"peer": contest.peer, "name": contest.name, "precision": contest.precision, "threads": contest.threads}
    if contest.skipped:
        told["skipped"] = contest.skipped
    if not contest.rounds:
        return told
    found, bound = ratio(contest.rounds, less_is_better=not contest.in_fps), contest.bound
    return {
        **told,
        "unit": "fps" if contest.in_fps else "ms",
        "backend": found.backend,
        "glimpse_median": found.ours,
        "peer_median": found.theirs,
        "ratio": {"median": found.median, "min": found.low, "max": found.high},
        "bound": {"at_most" if bound.at_most else "at_least": bound.limit} if bound else None,
        "met": bound.met_by(found.median) if bound else None,
        "rounds": [{"glimpse": ours, "peer": theirs} for ours, theirs in found.rounds],
    }
