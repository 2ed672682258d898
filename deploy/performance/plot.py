#!/usr/bin/env python3
"""Draws the plots of ../PERFORMANCE.md from figures.jsonl, which measure.sh writes.

    python3 deploy/performance/plot.py        (needs matplotlib)
"""
import json
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

here = pathlib.Path(__file__).parent
runs = [json.loads(line) for line in (here / "figures.jsonl").open()]
colours = {"off": "#1f77b4", "auto": "#d62728"}


def points(kind, mode, value):
    return zip(*sorted((r["x"], value(r["report"])) for r in runs if r["kind"] == kind and r["mode"] == mode))


def draw(name, title, x, y, lines):
    figure, axes = plt.subplots(figsize=(7.5, 4.5), dpi=120)
    for kind, mode, value, label, style in lines:
        axes.plot(*points(kind, mode, value), style, color=colours[mode], label=label, markersize=5)
    axes.set(title=title, xlabel=x, ylabel=y, xscale="log", yscale="log")
    axes.grid(True, which="both", alpha=0.25)
    axes.legend()
    figure.tight_layout()
    figure.savefig(here / name)


rate = lambda r: r["delivered"]["per_s"]
draw("throughput.png", "4,000 events as fast as they are accepted, 64 connections", "subjects", "delivered events a second", [
    ("throughput", mode, rate, "HOLDFAST_RELIEF=" + mode, "o-") for mode in colours
])
draw("latency.png", "500 subjects, from a webhook's request to its delivery", "webhooks a second", "milliseconds", [
    ("latency", mode, lambda r, p=p: r["delivered"][p + "_ms"], f"HOLDFAST_RELIEF={mode}, {p}", style)
    for mode in colours for p, style in (("p50", "o-"), ("p99", "o--"))
])
