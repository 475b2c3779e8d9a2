"""The chart: accuracy against latency, file size as the dot."""

import io
import math
import re
import warnings
from typing import NamedTuple

import matplotlib
from matplotlib import ticker
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .placement import Box, Dot, place

# Blue and orange of Okabe and Ito: told apart with each kind of colour blindness, and in grey.
LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "muted": "#57606a",
    "grid": "#dfe3e8",
    "join": "#8b949e",
    "float": "#0072b2",
    "int8": "#d55e00",
}
DARK = {
    "paper": "#0f141a",
    "ink": "#e8ecf1",
    "muted": "#a3adb8",
    "grid": "#2a323c",
    "join": "#76808c",
    "float": "#56b4e9",
    "int8": "#e69f00",
}
LARGEST_PT2 = 1300  # area of the largest dot's square, where there is room
CROWD = 8  # dots; with more a phone's chart would be all labels
LOG_FROM = 5  # slowest to fastest: beyond that the fast ones would be one heap
LONGEST_NAME = 26
STYLE = {"svg.hashsalt": "glimpse", "font.family": ["DejaVu Sans"], "axes.formatter.use_mathtext": False}


class Shape(NamedTuple):
    name: str
    width_in: float
    height_in: float
    font_pt: float


WIDE = Shape("wide", 9.2, 5.4, 10.5)
NARROW = Shape("narrow", 4.5, 5.4, 11)  # a phone's


def short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def draw(models: list, shape: Shape, heading: tuple = ()) -> Figure:
    """heading: a title and a line below it, for a picture that stands alone."""
    forms = [(model, form) for model in models for form in model.forms]
    more = 0.15 * max(0, len(forms) - CROWD)  # inches, so that many labels find their places
    height = shape.height_in + more + (0.65 if heading else 0)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # the figure is the same whatever the user's own settings are
        matplotlib.rcParams.update({**STYLE, "font.size": shape.font_pt})
        figure = Figure(figsize=(shape.width_in, height), dpi=72, facecolor=LIGHT["paper"])
        FigureCanvasAgg(figure)
        axes = figure.add_axes(_area(shape.width_in, height, heading))
        _axes(axes, [form for _, form in forms])
        _headings(figure, height, heading)
        largest = max(form.fastest.model_mib for _, form in forms)
        room = LARGEST_PT2 * min(1, CROWD / len(forms))
        sizes = [room * form.fastest.model_mib / largest for _, form in forms]
        _dots(axes, models, forms, sizes)
        _labels(figure, axes, models, forms, sizes)
    return figure


def _area(width: float, height: float, heading: tuple) -> tuple:
    left, bottom, right, top = 0.6, 0.65, 0.15, 0.42 + (0.65 if heading else 0)
    return left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height


def _headings(figure, height: float, heading: tuple) -> None:
    if heading:
        title, below = heading
        _heading(figure, 1 - 0.18 / height, title, color=LIGHT["ink"], fontsize=14, fontweight="bold")
        _heading(figure, 1 - 0.52 / height, below, color=LIGHT["muted"], fontsize=10)
    _heading(figure, 1 - (0.8 if heading else 0.1) / height, "top-1 accuracy, %", color=LIGHT["muted"])


def _heading(figure, y: float, text: str, **style) -> None:
    figure.text(0.15 / figure.get_figwidth(), y, text, va="top", parse_math=False, **style)


def _axes(axes, forms: list) -> None:
    axes.set_facecolor("none")
    axes.grid(True, color=LIGHT["grid"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=LIGHT["muted"], length=0, pad=6)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LIGHT["join"])
    _latency_axis(axes, [form.fastest.p50_ms for form in forms])
    shares = [100 * form.top1 for form in forms]
    room = max(2.0, 0.18 * (max(shares) - min(shares)))  # a tenth of a point shall not look like a cliff
    low, high = max(min(shares) - room, -3), min(max(shares) + room, 103)
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(ticker.MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}" if 0 <= value <= 100 else "")


def _latency_axis(axes, times: list) -> None:
    low, high = min(times), max(times)
    logarithmic = low > 0 and high / low > LOG_FROM
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.6, high * 1.6)
        axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(ticker.NullLocator())
    else:
        axes.set_xlim(0, high * 1.25 or 1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel(f"network, median ms{' (logarithmic)' if logarithmic else ''}", color=LIGHT["muted"], labelpad=8)


def _dots(axes, models: list, forms: list, sizes: list) -> None:
    for model in models:
        points = [(form.fastest.p50_ms, 100 * form.top1) for form in model.forms]
        axes.plot(*zip(*points), color=LIGHT["join"], linewidth=1.5, zorder=2)
    for size, (_, form) in sorted(zip(sizes, forms), key=lambda pair: -pair[0]):  # small on top of large
        colour = LIGHT[form.precision]
        point = form.fastest.p50_ms, 100 * form.top1
        axes.scatter(*point, s=size, color=LIGHT["paper"], zorder=3, clip_on=False, linewidths=0)
        axes.scatter(*point, s=size, facecolor=colour, alpha=0.45, zorder=3, clip_on=False, linewidths=0)
        axes.scatter(*point, s=size, facecolor="none", edgecolor=colour, zorder=3, clip_on=False, linewidths=1.8)


def _labels(figure, axes, models: list, forms: list, sizes: list) -> None:
    def at(form) -> tuple:
        return tuple(axes.transData.transform((form.fastest.p50_ms, 100 * form.top1)))

    texts = [f"{short(model.name)} {form.precision}" for model, form in forms]
    if len(forms) <= CROWD:
        texts = [f"{text}\n{form.fastest.model_mib:.1f} MiB" for text, (_, form) in zip(texts, forms)]
    style = {"color": LIGHT["ink"], "va": "center", "ha": "center", "linespacing": 1.25, "parse_math": False}
    drawn = [figure.text(0, 0, text, zorder=5, **style) for text in texts]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name in letters that the font has not
        extents = [text.get_window_extent(figure.canvas.get_renderer()) for text in drawn]
    dots = [Dot(*at(form), math.sqrt(size) / 2 + 1) for size, (_, form) in zip(sizes, forms)]
    lines = [tuple(at(form) for form in model.forms) for model in models if len(model.forms) == 2]
    bounds = Box(*axes.get_window_extent().extents)
    boxes = place(dots, [(extent.width + 4, extent.height + 4) for extent in extents], bounds, lines)
    width, height = figure.bbox.width, figure.bbox.height
    for text, box, dot in zip(drawn, boxes, dots):
        text.set_position(((box.x0 + box.x1) / 2 / width, (box.y0 + box.y1) / 2 / height))
        _leader(figure, dot, box)


def _leader(figure, dot: Dot, box: Box) -> None:
    """A thin line from a dot to its label, where they are too far apart to be seen as one."""
    x, y = box.nearest(dot.x, dot.y)
    away = math.dist((x, y), (dot.x, dot.y))
    if away - dot.radius < 12:
        return
    start = [centre + (end - centre) * dot.radius / away for centre, end in ((dot.x, x), (dot.y, y))]
    width, height = figure.bbox.width, figure.bbox.height
    across, up = (start[0] / width, x / width), (start[1] / height, y / height)
    figure.add_artist(Line2D(across, up, color=LIGHT["muted"], linewidth=0.8, transform=figure.transFigure))


def png(figure: Figure, path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        figure.savefig(path, format="png", dpi=200, metadata={"Software": None})


def svg(figure: Figure, name: str) -> str:
    """For a page: no document around it, ids of its own, and the page's colours by their names."""
    out = io.StringIO()
    with warnings.catch_warnings(), matplotlib.rc_context(STYLE):
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        figure.savefig(out, format="svg", transparent=True)
    text = out.getvalue()
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'^<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 class="{name}" aria-hidden="true">', text)
    text = re.sub(r'( id="|xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, value in LIGHT.items():
        text = text.replace(value, f"var(--{colour})")
    return re.sub(r">\s+<", ">\n<", text).replace("xlink:href", "href").strip()
