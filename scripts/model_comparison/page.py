"""The page: chart, table and how it was measured, in one file that needs nothing else."""

import json
import math
from html import escape
from pathlib import Path

from . import chart

COLUMNS = (
    ("model", "model folder"),
    ("precision", "of the weights and the sums"),
    ("top-1", "share of the pictures whose class is named first"),
    ("top-5", "share of the pictures whose class is among the first five"),
    ("agreement", "share of the pictures of which int8 and float say the same first"),
    ("MiB", "size of the .pt file"),
    ("backend", "what runs the network"),
    ("threads", "for the network"),
    ("p50 ms", "median time of the network"),
    ("p90 ms", "nine of ten frames are faster"),
    ("p99 ms", "99 of 100 frames are faster"),
    ("fps", "frames a second, preprocessing included"),
    ("load ms", "reading, checking, compiling, three first runs"),
    ("peak RSS MiB", "most memory that the process held"),
)


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def uncertainty_points(share: float, pictures: int) -> float:
    """Half the width of Wilson's 95 % interval of a share, in points of percent."""
    z = 1.96
    spread = share * (1 - share) / pictures + z * z / (4 * pictures * pictures)
    return 100 * z * math.sqrt(spread) / (1 + z * z / pictures)


def how_to_read(models: list) -> str:
    pictures = min(model.images for model in models)
    share = min((form.top1 for model in models for form in model.forms), key=lambda top1: abs(top1 - 0.5))
    return (
        "Up and to the left is better: right more often, and sooner. A dot is one model file on the backend that ran it "
        "fastest here, its area the size of the file; a line joins float and int8 of one model. "
        f"From {pictures} pictures a share is known to about ±{uncertainty_points(share, pictures):.1f} points "
        "(95 %): smaller differences may be chance."
    )


def page(models: list, failures: list, facts: dict, command: str) -> str:
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    pictures = models[0].images
    crowded = sum(len(model.forms) for model in models) > chart.CROWD
    shapes = (chart.WIDE,) if crowded else (chart.WIDE, chart.NARROW)
    drawings = "\n".join(chart.svg(chart.draw(models, shape), shape.name) for shape in shapes)
    names = ", ".join(model.name for model in models)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>glimpse: {escape(names)} compared</title>
<style>
{_colours()}
{style}</style>
</head>
<body>
<main>
<h1>Accuracy against latency</h1>
<p class="lead">{escape(names)} on {pictures} pictures, measured by glimpse on {escape(facts["CPU"])}.</p>
{_failures(failures)}<figure{' class="crowded" tabindex="0"' if crowded else ""} role="img"
  aria-label="Top-1 accuracy against the network's median time; the figures are in the table">
{drawings}
</figure>
<p>{escape(how_to_read(models))}</p>
<h2>Figures</h2>
<div class="wide-table" tabindex="0" role="region" aria-label="Figures">
<table>
<thead><tr>{"".join(f'<th scope="col" title="{escape(what)}">{name}</th>' for name, what in COLUMNS)}</tr></thead>
{"".join(map(_rows, models))}</table>
</div>
<p class="small">Bold: the backend in the chart. Accuracy belongs to the file, whatever runs it; small print says on
which backend it was counted.</p>
<h2>How it was measured</h2>
<dl>
{"".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())}
</dl>
<p>To measure again:</p>
<pre>{escape(command)}</pre>
<details>
<summary>All figures as JSON</summary>
<pre id="figures">{escape(_told(models))}</pre>
</details>
</main>
</body>
</html>
"""


def _colours() -> str:
    def variables(palette: dict) -> str:
        return " ".join(f"--{name}: {value};" for name, value in palette.items())

    light, dark = variables(chart.LIGHT), variables(chart.DARK)
    return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def _told(models: list) -> str:
    return "\n".join(json.dumps(line, ensure_ascii=False) for model in models for line in model.told)


def _failures(failures: list) -> str:
    if not failures:
        return ""
    items = "".join(f"<li><b>{escape(name)}</b>: {escape(message)}</li>" for name, message in failures)
    return f'<div class="failures"><p>Not measured, with what glimpse said:</p><ul>{items}</ul></div>\n'


def _rows(model) -> str:
    rows = ""
    height = sum(len(form.speeds) for form in model.forms)
    for form in model.forms:
        for speed in form.speeds:
            first_of_form = speed is form.speeds[0]
            first_of_model = first_of_form and form is model.forms[0]
            rows += "<tr>"
            if first_of_model:
                rows += f'<th scope="rowgroup" rowspan="{height}">{escape(model.name)}</th>'
            if first_of_form:
                rows += _form_cells(form, model.agreement)
            rows += _speed_cells(speed, speed is form.fastest) + "</tr>\n"
    return f"<tbody>\n{rows}</tbody>\n"


def _form_cells(form, agreement: float | None) -> str:
    span = f'rowspan="{len(form.speeds)}"'
    counted = f"<small>on {escape(form.counted_on)}</small>"
    return (
        f'<td {span} class="text"><span class="dot {form.precision}"></span>{form.precision}</td>'
        f"<td {span}>{percent(form.top1)}{counted}</td><td {span}>{percent(form.top5)}</td>"
        f"<td {span}>{percent(agreement) if form.precision == 'int8' else '–'}</td>"
        f"<td {span}>{form.fastest.model_mib:.1f}</td>"
    )


def _speed_cells(speed, in_chart: bool) -> str:
    times = (speed.p50_ms, speed.p90_ms, speed.p99_ms)
    cells = [f'<td class="text">{escape(speed.backend)}</td>', f"<td>{speed.threads}</td>"]
    cells += [f"<td>{value:.2f}</td>" for value in times]
    cells += [f"<td>{speed.fps:.1f}</td>", f"<td>{speed.load_ms:.0f}</td>", f"<td>{speed.peak_rss_mib:.0f}</td>"]
    text = "".join(cells)
    return text.replace("<td", '<td data-chart="yes"') if in_chart else text
