"""The rounds: glimpse, then each of its peers, on one thread, then on two; then all of it again."""

from model_comparison.measuring import Failure
from model_export.problem import Problem


def figures(lines: list, in_fps: bool) -> dict:
    """{precision: {backend: ms or fps}} of what glimpse bench told."""
    found = {}
    for line in lines:
        figure = line["fps"] if in_fps else line["network_ms"]["p50"]
        # Where a backend cannot take the model, another one runs in its place and comes twice.
        found.setdefault(line["precision"], {}).setdefault(line["backend"], figure)
    return found


def glimpses_turn(glimpse, doing: str, threads: int | None, arguments, model) -> dict:
    """threads None: glimpse's own default, and the whole way from the clip."""
    options = ["--model", str(model.folder.resolve()), "--rounds", "1"]
    options += ["--backend", arguments.backend] if arguments.backend else []
    if threads is None:
        options += ["--source", str(arguments.clip.resolve()), "--frames", str(arguments.clip_frames)]
    else:
        options += ["--threads", str(threads), "--frames", str(arguments.frames)]
    try:
        return figures(glimpse.lines(doing, "bench", *options), in_fps=threads is None)
    except Failure as error:
        raise Problem(f"glimpse gave no figures: {error}") from error
    except (KeyError, TypeError) as error:
        raise Problem(f"glimpse bench told other things than expected: {error}; is it of this version?") from error


def measure(contests: list, rounds: int, ask_glimpse, progress) -> None:
    """ask_glimpse(doing, threads) gives its figures. The contests of the same threads share one turn of it."""
    for number in range(1, rounds + 1):
        if all(contest.skipped for contest in contests):
            return
        progress.say(f"round {number} of {rounds}")
        for threads in dict.fromkeys(contest.threads for contest in contests):
            where = f"round {number} of {rounds}, " + {None: "the clip", 1: "1 thread"}.get(threads, f"{threads} threads")
            running = [contest for contest in contests if contest.threads == threads and not contest.skipped]
            ours = ask_glimpse(f"{where}: glimpse", threads) if running else {}
            for contest in running:
                progress.now(f"{where}: {contest.name} {contest.precision}")
                contest.measure(ours[contest.precision])
                if contest.skipped:
                    progress.say(f"{contest.name} {contest.precision} is out: {contest.skipped}")
