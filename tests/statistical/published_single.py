"""How often the interval of a single printed effect holds the truth: one column and its error.

Run as a script (1 to 2 minutes) it writes its section of docs/calibration-published.md;
``make calibrate-published`` writes the whole page with it. A panel is simulated, its two-way
regression printed to three digits, and the print read as :func:`bayesdid.printed_effects` does:
estimate and printed standard error as a normal posterior.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

from published_report import markdown
from published_worlds import DIGITS, LEVEL, two_way
from scores import band

from bayesdid.arrays import FloatArray
from bayesdid.estimands.distribution import normal_distribution
from bayesdid.estimands.verdict import SURE
from bayesdid.inference.executor import item_seed

PAGE = Path(__file__).parents[2] / "docs" / "calibration-published.md"
TITLE = "## Single printed effects"
PHIS = (0.0, 0.3, 0.6, 0.9)
PANELS = 4_000
EFFECT = -0.5  # at full size; sd of errors one
SHAPES = ("constant", "growing over 4", "differs between units")


@dataclass(frozen=True)
class Design:
    """Units, those that adopt in the end, and periods; adoption is staggered evenly."""

    units: int
    treated: int
    periods: int

    def __str__(self) -> str:
        return f"{self.units} units, {self.treated} treated, {self.periods} periods"


DESIGNS = (Design(12, 6, 20), Design(48, 5, 25), Design(48, 24, 25), Design(200, 80, 16))
MAIN = DESIGNS[2]  # on which the shapes of effects are compared


def panels(design: Design, phi: float, shape: str, size: int) -> pd.DataFrame:
    """What each panel prints, with either error, and the truth: the mean over treated rows.

    Errors are stationary AR(1) within units; they are the same for every shape and, as innovations,
    for every phi.
    """
    N, T = design.units, design.periods
    rng = np.random.default_rng(item_seed(0, str(design)))
    rows: dict[str, list[float]] = {name: [] for name in ("truth", "estimate", "iid", "clustered")}
    for _ in range(size):
        start = np.full(N, T)
        start[: design.treated] = rng.integers(T // 4, 3 * T // 4, design.treated)
        age = np.arange(T) - start[:, None]
        on = age >= 0
        full = np.ones((N, 1))
        if shape == "growing over 4":
            full = np.minimum((age + 1) / 4, 1.0)
        own = rng.standard_normal((N, 1))
        if shape == "differs between units":
            full = 1 + 0.8 * own
        effect = EFFECT * full * on
        y = effect + errors(rng.standard_normal((N, T)), phi)
        estimate, iid, clustered = regress(on.astype(float), y)
        for name, value in (("estimate", estimate), ("iid", iid), ("clustered", clustered)):
            rows[name].append(round(value, DIGITS))
        rows["truth"].append(float(effect[on].mean()))
    return pd.DataFrame(rows)


def errors(noise: FloatArray, phi: float) -> FloatArray:
    """Stationary AR(1) with sd one from independent innovations, shape (N, T)."""
    found = noise.copy()
    for t in range(1, noise.shape[1]):
        found[:, t] = phi * found[:, t - 1] + np.sqrt(1 - phi**2) * noise[:, t]
    return found


def regress(on: FloatArray, y: FloatArray) -> tuple[float, float, float]:
    """The two-way coefficient with its i.i.d. and its clustered standard error."""
    (N, T), D, outcome = on.shape, two_way(on), two_way(y)
    square = float((D**2).sum())
    found = float((D * outcome).sum()) / square
    residual = outcome - found * D
    scores = (D * residual).sum(axis=1)
    iid = np.sqrt((residual**2).sum() / (N * T - N - T) / square)
    clustered = np.sqrt(N / (N - 1) * (scores**2).sum()) / square
    return found, float(iid), float(clustered)


def judged(rows: pd.DataFrame, kind: str) -> dict[str, float]:
    """Coverage, false verdicts on an effect that is none, and the printed error over the right one.

    An effect of zero prints what is left of the estimate when the truth is taken from it.
    """
    shift = rows["estimate"] - rows["truth"]
    inside, false = [], []
    for estimate, truth, error, se in zip(
        rows["estimate"], rows["truth"], shift, rows[kind], strict=True
    ):
        read = normal_distribution(float(estimate), max(float(se), 10.0**-DIGITS))
        inside.append(read.interval.low <= truth <= read.interval.high)
        none = normal_distribution(float(error), max(float(se), 10.0**-DIGITS))
        false.append(none.p_negative >= SURE)
    return {
        "coverage": float(np.mean(inside)),
        "false": float(np.mean(false)),
        "ratio": float(rows[kind].mean() / shift.std()),
    }


def measure(size: int = PANELS) -> pd.DataFrame:
    """Every design under every phi, and every shape on the main design."""
    cells = [(design, phi, "constant") for design in DESIGNS for phi in PHIS]
    cells += [(MAIN, phi, shape) for shape in SHAPES[1:] for phi in (0.0, 0.6)]
    found = []
    for design, phi, shape in cells:
        rows = panels(design, phi, shape, size)
        row: dict[str, object] = {"design": str(design), "phi": phi, "effect": shape}
        for kind in ("iid", "clustered"):
            row |= {f"{kind} {name}": value for name, value in judged(rows, kind).items()}
        found.append({**row, "panels": size})
    return pd.DataFrame(found)


def section(found: pd.DataFrame) -> str:
    """The section of the page."""
    size = int(found["panels"].min())
    plain = found[found["effect"] == "constant"]
    other = found[found["effect"] != "constant"]
    columns = ["iid coverage", "clustered coverage", "iid false", "clustered false"]
    columns += ["iid ratio", "clustered ratio"]
    return (
        f"{TITLE}\n\n"
        "What `bd.printed_effects` makes of one column (`python tests/statistical/"
        "published_single.py`): estimate and printed standard error read as a normal posterior. "
        f"{size:,} panels of each row, a two-way regression of one staggered treatment (effect "
        f"{EFFECT:g}, errors of sd 1, AR(1) within units with autocorrelation phi), printed to "
        f"three digits. Coverage of the {LEVEL:.0%} interval; Monte Carlo band of .89: plus or "
        f"minus {band(LEVEL, size):.3f}. `iid`: the printed error supposes independent errors; "
        "`clustered`: by unit. `false`: P(< 0) of at least .95 where there is no effect (.05 would "
        "be right). `ratio`: the mean printed error over the sd of estimates.\n\n"
        + markdown(plain[["design", "phi", *columns]])
        + "\n\nEffects that are not constant, on the third design; the truth is their mean over "
        "treated rows, which a two-way regression does not estimate:\n\n"
        + markdown(other[["effect", "phi", *columns]])
        + "\n"
    )


def replaced(page: str, text: str) -> str:
    """The page with this section in the place of the one that is there, else before the last."""
    before, found, after = page.partition(f"{TITLE}\n")
    if not found:
        before, rest = page.split("## A real panel, hidden", maxsplit=1)
        return f"{before}{text}\n## A real panel, hidden{rest}"
    rest = after.split("\n## ", maxsplit=1)[1]
    return f"{before}{text}\n## {rest}"


def main() -> None:
    """Write the section."""
    found = measure()
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), section(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
