"""Are the words of a claim about one policy calibrated? Panels with a known effect, and placebos.

``make calibrate-single`` writes docs/validity-single.md; the tests run a small version. Every panel
is a study as a reader has it: an event study and the claim that the policy lowers the outcome. What
its page would say is scored: the model that answers, those beside it, and the word. Every panel is
a file of its own run: a second run goes on where the first was stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "families"))

import single_griffin
from made import make_panel, make_study
from panel_rows import rows_of
from single_report import CALLAWAY, EVENT, EVENT_AT, report
from single_worlds import WORLDS, Made, make
from synergy_peers import callaway_santanna
from validity_facts import single_facts, update

from bayesdid.checks.predictive import predictive_checks
from bayesdid.design.build import build_design
from bayesdid.estimands.beside import HEADLINE
from bayesdid.estimands.distribution import normal_distribution
from bayesdid.estimands.judgement import Estimate, estimate, judge
from bayesdid.estimands.question import Question, question
from bayesdid.estimands.row_weights import contrast_weights
from bayesdid.estimands.stated import drawn
from bayesdid.estimands.synergy import Synergy, synergy
from bayesdid.exceptions import ResultError
from bayesdid.inference.executor import item_seed, process_pool
from bayesdid.inference.fit import fit
from bayesdid.inference.plan import MAIN
from bayesdid.inference.result import Fit
from bayesdid.jsonio import plain
from bayesdid.logs import quiet
from bayesdid.model.bound import model as bind
from bayesdid.panel.adoption import arm
from bayesdid.panel.panel import Panel
from bayesdid.report.claim_panel import PanelEvidence, panel_estimates
from bayesdid.report.claim_results import headline_models
from bayesdid.study.claims import Claim

DRAWS, CHAINS = 250, 4
LAST, AT = 4, 2  # of the event study: its window, and the time since adoption of one statement
SOURCES = ("single_worlds.py", "single_calibrate.py", "error_worlds.py", "synergy_peers.py")
EFFECT = "only:a - none"
TERM = ["active:a"]
COLUMNS = [
    {"id": "t", "outcome": "y", "family": "twfe", "treatments": TERM},
    {
        "id": "e",
        "outcome": "y",
        "family": "event_study",
        "treatments": TERM,
        "options": {"first": -4, "last": LAST},
    },
]
STUDY = make_study(("a",), COLUMNS)
LOWERS = {"text": "it lowers y", "place": "here", "direction": "negative"}


def run(item: tuple[str, int]) -> list[dict[str, object]]:
    """One row for each model of a claim, and one for the answer of the page with its word."""
    name, number = item
    world, seed = WORLDS[name], item_seed(0, *item)
    made = make(world, seed)
    panel = make_panel(made.frame, made.adoption)
    head = {"world": name, "panel": number}
    try:
        found = synergy(STUDY, panel, draws=DRAWS, chains=CHAINS, seed=seed)
    except ResultError:
        return [{**head, "model": HEADLINE, "converged": False}]
    path = fit(build_design(STUDY["t.e"], panel), draws=DRAWS, chains=CHAINS, seed=seed)
    evidence = _evidence(panel, found, path)
    about = _asked("effect", effect="t.t:active:a")
    models = panel_estimates(STUDY, about, evidence)
    answer = judge(models, "panel")
    assert answer is not None
    models += _beside(found, about)
    rows = [_row(made, one) for one in models]
    rows[next(k for k, one in enumerate(models) if one.model == answer.model)]["word"] = answer.word
    at = _asked("at", effect=f"t.e:active:a@{AT}")
    name = {"model": EVENT_AT, "truth": float(made.path(AT)[AT])}
    rows += [_row(made, one) | name for one in panel_estimates(STUDY, at, evidence)]
    return [{**head, "converged": True} | row for row in rows]


def _asked(name: str, **of: str) -> Question:
    found = question(STUDY, Claim(id=name, **LOWERS, **of))
    assert found is not None
    return found


def _evidence(panel: Panel, found: Synergy, path: Fit) -> PanelEvidence:
    """What the page's verdicts rest on: the headline with its checks, and the event study."""
    bound = bind(found.design, errors=found.errors)
    checks = predictive_checks(found.fit.tree, bound, arm(panel.adoption))
    headline = {
        "checks": [plain(check) for check in checks],
        "contrasts": {name: plain(item) for name, item in found.items()},
        "quantiles": {
            name: {label: list(says.quantiles) for label, says in item.models.items()}
            for name, item in found.items()
        },
    }
    after = [f"{TERM[0]}@{time}" for time in range(LAST + 1)]
    average = path.tree["posterior"]["tau"].sel(treatment=after).mean("treatment").to_numpy()
    stated = (drawn(TERM[0], EVENT, "trends are parallel", average),) if path.converged else ()
    models = headline_models(headline)
    return PanelEvidence({"t.e": {MAIN: path.tree}}, {}, {"t.e": stated}, models, {}, {}, {})


def _beside(found: Synergy, asked: Question) -> Iterator[Estimate]:
    """An estimator that the page has only where a study asks for it."""
    q = contrast_weights(EFFECT, found.rows, found.averages[EFFECT])
    peer = None if q is None else callaway_santanna(found.rows, q)
    if peer is not None:
        yield estimate(asked.asks, normal_distribution(*peer), CALLAWAY, "panel", "")


def _row(made: Made, one: Estimate) -> dict[str, object]:
    truth = float(made.path(LAST).mean()) if one.model.startswith(EVENT) else made.att
    return {
        "model": one.model,
        "truth": truth,
        "mean": one.mean,
        "sd": one.sd,
        "low": one.interval.low,
        "high": one.interval.high,
        "p": one.p_sign,
        "counts": one.counts,
    }


def measure(items: list[tuple[str, int]], folder: Path | None = None) -> pd.DataFrame:
    """Rows of all panels."""
    return rows_of(items, run, folder, (DRAWS, CHAINS), SOURCES)


def main() -> None:
    """Write docs/validity-single.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--panels", type=int, default=200, help="a world")
    parser.add_argument("--griffin", type=int, default=60, help="panels on outcomes of states")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=Path("reports/calibration-single"))
    parser.add_argument("--out", type=Path, default=Path("docs/validity-single.md"))
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    items = [(name, k) for k in range(options.panels) for name in WORLDS]
    with process_pool(options.workers):
        found = measure(items, options.folder)
        states = rows_of(
            [("griffin", k) for k in range(options.griffin)],
            single_griffin.run,
            options.folder,
            (single_griffin.DRAWS, single_griffin.CHAINS),
            ("single_griffin.py", "synergy_griffin.py", "error_worlds.py"),
        )
    text = report(found, single_griffin.section(states))
    options.out.write_text(text, encoding="utf-8")
    update(single_facts(text))
    sys.stdout.write(f"{options.out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
