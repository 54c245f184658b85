"""What units treated at random would have shown: both schemes of assignment, and the actual one.

Every assignment has its closed form under flat priors and i.i.d. errors, whose level it tests; the
actual effect is fitted under the errors of the analysis as well.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.checks.placebo import SCHEMES, Placebo, placebo
from bayesdid.design.build import as_two_way, build_design
from bayesdid.families.analysis import Analysis, Figure, Series, Table, draws_tree, summary_frame
from bayesdid.families.placebo import PlaceboOptions
from bayesdid.families.under_errors import IID, draws_of, errors_sentence
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.jsonio import plain
from bayesdid.model.bound import study_priors
from bayesdid.model.errors import Errors
from bayesdid.model.priors import PriorChoice
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.summary import equals, hdi, p_words


def placebo_analysis(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: PlaceboOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``placebo``: one treatment, ``both`` or ``active:P``."""
    found = [
        placebo(spec, panel, scheme=scheme, assignments=options.draws, seed=seed)
        for scheme in SCHEMES
    ]
    design = build_design(as_two_way(spec, with_rows=True), panel)
    errors = Errors.parse(options.errors)
    priors = study_priors(spec, design=design, own="flat")
    own = fit(design, errors=errors, priors=priors, seed=seed, draws=draws)
    iid = conjugate_posterior(design).draw(4 * draws, np.random.default_rng(seed))[:, 0]
    same = errors == IID and priors == PriorChoice("flat")
    actual = iid if same else draws_of(own.tree)[:, 0]
    quantities = {f"actual effect, {errors}": actual, "actual effect, i.i.d.": iid}
    unit = study.file.outcome.unit if spec.column.outcome == study.file.outcome.column else ""
    return Analysis(
        spec.id,
        "placebo",
        spec.title,
        (*(_sentence(item) for item in found), *_errors_sentences(errors, actual, iid, own)),
        (
            Table(
                "schemes",
                "Posteriors under placebo assignments, flat priors and i.i.d. errors",
                _frame(found),
            ),
            Table(
                "actual",
                f"The actual assignment: {errors} and priors {priors}; i.i.d. and flat priors",
                summary_frame(quantities),
            ),
        ),
        (
            Figure(
                "placebo",
                "histogram",
                "Posterior means under placebo assignments. Dashed: the actual assignment.",
                tuple(Series(item.scheme, [], plain(item)["means"], [], []) for item in found),
                xlabel=unit,
                verticals=(found[0].actual_mean,),
            ),
        ),
        posterior=draws_tree(
            quantities, spec, panel, engine=own.tree.attrs["engine"], seed=seed, priors=str(priors)
        ),
        converged=own.converged,
        synthetic=panel.synthetic or "",
    )


def _errors_sentences(
    errors: Errors, actual: FloatArray, iid: FloatArray, own: Fit
) -> tuple[str, ...]:
    """The actual effect under the errors of the analysis, and i.i.d. ones beside."""
    return (
        f"Under the actual assignment the effect is {actual.mean():.3f} ({hdi(actual):.3f}; "
        f"P(< 0) {equals((actual < 0).mean())}).",
        errors_sentence(errors, "it", actual, iid, (own.tree,)),
    )


def _sentence(item: Placebo) -> str:
    facts, smallest = plain(item), 1 / (item.assignments + 1)
    some = f"{item.as_large} are" if item.as_large else "none is"
    return (
        f"{item.scheme.capitalize()}: of {facts['assignments']} assignments {some} as large as the "
        f"actual effect ({item.actual_mean:.3f}; {p_words(item.tail, smallest)}), and "
        f"{item.rejection:.1%} are significant at 5 % under i.i.d. errors; placebo means spread by "
        f"{facts['spread']:.3f} against a posterior sd of {facts['typical_sd']:.3f}."
    )


def _frame(found: list[Placebo]) -> pd.DataFrame:
    labels = {
        "scheme": "scheme",
        "assignments": "assignments",
        "actual_mean": "actual effect",
        "actual_sd": "its posterior sd",
        "spread": "spread of placebo means",
        "typical_sd": "median posterior sd",
        "tail": "share as large as the actual",
        "rejection": "p < 0.05",
        "above_ten_percent": "p > 0.1",
    }
    rows = [plain(item) for item in found]
    return pd.DataFrame([{label: row[key] for key, label in labels.items()} for row in rows])
