"""How often does a pool hold the average, the spread and the effect in a study to come?

``make calibrate-pool`` writes the last section of docs/pool.md; the tests run a small version.
Studies are drawn from a known average and spread; they are published whatever they find, or by
significance, and their standard errors are right, or too small by a factor, which is declared
(``se_kind = "iid"``) or not.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesdid.estimands.verdict import SURE
from bayesdid.inference.executor import item_seed
from bayesdid.pool.effect import StudyEffect
from bayesdid.pool.normal import KAPPAS
from bayesdid.pool.run import MAIN, PRINTED, PoolResult, pool_effects
from bayesdid.summary import LEVEL, percent

DOCUMENT = Path(__file__).parents[2] / "docs" / "pool.md"
TITLE = "## How often it holds the truth"
AVERAGES, SPREAD = (0.2, 0.0), 0.15  # in units of a large effect
SES = (0.08, 0.30)  # lowest and highest true standard error, alike between
STUDIES = (5, 20)
FACTOR = KAPPAS[2]
CHANCE = 0.2  # of publication of what is not significant
UNKNOWN = "not significant: published with unknown probability"
HELD = ("mean", "unknown", "printed", "spread", "new")


@dataclass(frozen=True, slots=True)
class World:
    """How studies come to be pooled.

    Attributes
    ----------
    label
        For a reader.
    chance
        Of publication of what is not significant at 5 %.
    factor
        By which printed standard errors are too small.
    declared
        Whether they are said to suppose independent errors.
    """

    label: str
    chance: float = 1.0
    factor: float = 1.0
    declared: bool = False


WORLDS = {
    "all": World("all are published, standard errors are right"),
    "selected": World(f"not significant: published with probability {CHANCE:g}", chance=CHANCE),
    "iid": World(f"standard errors {FACTOR:g} times too small, of independence", 1, FACTOR, True),
    "hidden": World('the same, and nothing says so (`se_kind = "clustered"`)', 1, FACTOR),
}


def studies(
    world: World, count: int, average: float, rng: np.random.Generator
) -> list[StudyEffect]:
    """So many published studies."""
    found: list[StudyEffect] = []
    while len(found) < count:
        true = rng.uniform(*SES)
        estimate = rng.normal(rng.normal(average, SPREAD), true)
        se = true / world.factor
        p = float(2 * norm.sf(abs(estimate) / se))
        if p < 0.05 or rng.random() < world.chance:
            name = f"s{len(found)}"
            found.append(
                StudyEffect(name, "b", "printed cell", estimate, se, world.declared, (), p)
            )
    return found


def run(name: str, count: int, average: float, number: int) -> dict[str, object]:
    """What one pool holds, and what it says."""
    seed = item_seed(0, name, count, average, number)
    rng = np.random.default_rng(seed)
    pool = pool_effects(studies(WORLDS[name], count, average, rng), unit=1.0, seed=seed)
    models, to_come = pool.average, rng.normal(average, SPREAD)
    printed = models.get(PRINTED, models[MAIN])
    truths = ((models[MAIN], average), (models[UNKNOWN], average), (printed, average))
    pairs = (*truths, (pool.spread, SPREAD), (pool.new, to_come))
    held = [one.interval.low <= truth <= one.interval.high for one, truth in pairs]
    return {
        "world": name,
        "studies": count,
        "average": average,
        **dict(zip(HELD, held, strict=True)),
        "off": models[MAIN].mean - average,
        "word": _claims(pool),
    }


def _claims(pool: PoolResult) -> bool:
    """Whether a sign is said to be established."""
    return pool.word.startswith("supported")


def measure(number: int, *, counts: tuple[int, ...] = STUDIES) -> pd.DataFrame:
    """So many pools of every kind."""
    return pd.DataFrame(
        run(name, count, average, k)
        for name in WORLDS
        for count in counts
        for average in AVERAGES
        for k in range(number)
    )


def section(rows: pd.DataFrame) -> str:
    """The section of docs/pool.md."""
    number = int(rows.groupby(["world", "studies", "average"]).size().min())
    band = 2 * np.sqrt(LEVEL * (1 - LEVEL) / number)
    lines = [
        TITLE,
        "",
        f"Written by `make calibrate-pool`: {number} pools of each row, effects of average "
        f"{AVERAGES[0]:g} and sd {SPREAD:g}, true standard errors between {SES[0]:g} and "
        f"{SES[1]:.2f}, in units of a large effect. {percent()} intervals should hold the truth in "
        f"{LEVEL:.2f} of them; * marks shares outside of plus or minus {band:.3f}, two Monte Carlo "
        "standard errors. The last column is how often a sign is called supported, fragile or not, "
        f"where the average is 0: {SURE:g} on either side allows {2 * (1 - SURE):.2f}.",
        "",
        "| world | studies | average | mean off by | average, selection of unknown strength | "
        "average, errors as printed | spread | study to come | false sign |",
        "|" + "---|" * 9,
    ]
    grouped = rows.groupby(["world", "studies", "average"])[[*HELD, "off", "word"]].mean()
    for name, world in WORLDS.items():
        for count in dict.fromkeys(rows["studies"]):
            one = grouped.loc[(name, count, AVERAGES[0])]
            none = grouped.loc[(name, count, AVERAGES[1])]
            shares = {key: _share(one[key], band) for key in HELD}
            lines.append(
                f"| {world.label} | {count} | {shares['mean']} | {one['off']:+.3f} | "
                f"{shares['unknown']} | {shares['printed'] if world.declared else '–'} | "
                f"{shares['spread']} | {shares['new']} | {none['word']:.3f} |"
            )
    return "\n".join([*lines, "", *_sentences(grouped), ""])


def _sentences(grouped: pd.DataFrame) -> list[str]:
    """What the table says of selection and of standard errors, over numbers of studies."""

    def at(name: str, column: str, style: str = ".2f") -> str:
        found = grouped.loc[name].xs(AVERAGES[0], level="average")[column]
        return " and ".join(f"{value:{style}}" for value in found)

    counts = " and ".join(str(count) for count in grouped.index.unique("studies"))
    return [
        f"- With {counts} studies, selection moves the main model's average by "
        f"{at('selected', 'off', '+.2f')}: its interval holds the truth in "
        f"{at('selected', 'mean')}, that under selection of unknown strength in "
        f"{at('selected', 'unknown')}: read the main row beside that one.",
        f"- Standard errors that are too small make studies look apart: the interval of the spread "
        f"holds the truth in {at('hidden', 'spread')} if nothing says so, in "
        f"{at('iid', 'spread')} if `se_kind` does. The average and the effect in a study to come "
        "hardly suffer.",
    ]


def _share(value: float, band: float) -> str:
    return f"{value:.3f}{' *' if abs(value - LEVEL) > band else ''}"


def main() -> None:
    """Write the section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pools", type=int, default=150, help="of each kind")
    options = parser.parse_args()
    begin = time.perf_counter()
    text = DOCUMENT.read_text(encoding="utf-8").partition(TITLE)[0]
    DOCUMENT.write_text(text + section(measure(options.pools)), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
