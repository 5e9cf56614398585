"""What newsindex does by itself, as tables: threads, the time outside kernels, a new process."""

from __future__ import annotations

from typing import Any

from benchmarks.report import Report

__all__ = ["add_alone"]


def add_alone(report: Report, measured: dict[str, Any]) -> None:
    alone = measured.get("alone")
    if alone is None:
        return
    heading: tuple[str, ...] = ("class", "one thread", "two threads", "two / one")
    for name, rate in alone["threads"].items():
        cells = (f"{rate['one']:,.0f}", f"{rate['two']:,.0f}", f"{rate['two'] / rate['one']:.2f}")
        report.add("newsindex, queries a second", heading, (name, *cells))
    title = "newsindex, a small query, µs (medians)"
    heading = ("class", "whole", "inside kernels", "outside", "kernel calls")
    for name, found in alone["outside"].items():
        times = (f"{found[key]:,.1f}" for key in ("whole", "inside", "outside"))
        report.add(title, heading, (name, *times, f"{found['calls']:.1f}"))
    title = "newsindex, where the time outside kernels goes (shares of a profile, scaled)"
    for name, found in alone["outside"].items():
        for module, share in found["modules"].items():
            if share >= 0.01:
                cells = (module, f"{share:.0%}", f"{share * found['outside']:.1f}")
                report.add(title, ("class", "module", "share", "µs"), (name, *cells))
    for what, seconds in measured["start"].items():
        report.add("A new process, ms (median)", ("what", "ms"), (what, f"{seconds * 1000:,.1f}"))
