"""Reads a page as a browser would, so that a test can ask what is in it."""

import collections
import html.parser
import re

VOID = {"meta", "br", "hr", "img", "link", "input", "source"}


class Page(html.parser.HTMLParser):
    """What a page is made of; `faults` are tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.faults, self.tags, self.attributes = [], [], collections.Counter(), []
        self.text, self.rows, self.style, self.figures = "", [], "", ""
        self.in_figures = False
        self.feed(text)
        self.close()
        self.faults += self.open

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.in_figures = tag == "pre" and ("id", "figures") in attributes

    def handle_startendtag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes += attributes

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"/{tag}")

    def handle_data(self, data):
        if "style" in self.open:
            self.style += data
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        if self.in_figures and self.open[-1:] == ["pre"]:
            self.figures += data

    def refers_to(self):
        """What its tags and styles name that is not within the page."""
        linking = ("href", "xlink:href", "src", "srcset", "data", "action", "poster")
        links = [value for name, value in self.attributes if name in linking and not value.startswith("#")]
        styles = self.style + " ".join(value or "" for _, value in self.attributes)
        return links + re.findall(r"@import[^;]*|url\((?!#)[^)]*", styles)
