"""Figures of several rounds: medians, ranges, ratios taken inside each round, and a table of them."""

import statistics


def summary(values):
    """Median, least and greatest of the values that are there; None when there are none."""
    values = [v for v in values if v is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "rounds": len(values)}


def ratios(above, below):
    """Round by round; None where one of the two is missing."""
    return [a / b if a is not None and b else None for a, b in zip(above, below)]


def short(value):
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cell(found):
    """`median (min-max)`, or only the value when there was one round."""
    if found is None:
        return "-"
    if found["rounds"] == 1:
        return short(found["median"])
    return f"{short(found['median'])} ({short(found['min'])}-{short(found['max'])})"


def table(header, rows):
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    lines = []
    for row in [header, ["-" * w for w in widths], *rows]:
        lines.append("  ".join(str(c).ljust(w) if i == 0 else str(c).rjust(w)
                               for i, (c, w) in enumerate(zip(row, widths))).rstrip())
    return "\n".join(lines)
