"""Treatment effects of every two-way spec under the default errors, with other errors beside."""

from __future__ import annotations

import json
from typing import Any

import xarray as xr

from bayesdid.inference.plan import MAIN
from bayesdid.inference.result import Fit
from bayesdid.study.load import Study


def effects_section(study: Study, trees: dict[str, dict[str, xr.DataTree]]) -> list[dict[str, Any]]:
    """One entry for each treatment of each spec; event paths have a section of their own.

    A fit that did not converge has an entry without numbers.
    """
    found = []
    for spec, kinds in trees.items():
        if study[spec].column.family == "event_study" or MAIN not in kinds:
            continue
        fit = Fit(kinds[MAIN])
        tidy, beside = fit.tidy(), fit.beside()
        priors = json.loads(fit.tree.attrs["priors"])["coefficients"]
        for term in fit.treatments:
            rows = beside.loc[term] if term in beside.index.get_level_values(0) else beside[:0]
            found.append(
                {
                    "spec": spec,
                    "title": study[spec].title,
                    "term": term,
                    "errors": fit.tree.attrs["errors"],
                    "priors": fit.tree.attrs["prior_choice"],
                    "random_effects": [
                        what
                        for what in ("unit", "period")
                        if fit.tree.attrs[f"{what}_effects"] == "random"
                    ],
                    "converged": fit.converged,
                    "prior_sd": priors.get(term, {}).get("sd"),
                    "treated_units": fit.treated_units.get(term),
                    "units": int(fit.tree.attrs["units"]),
                    "summary": tidy.loc[term].to_dict(),
                    "beside": {
                        str(name).partition(" ")[0]: {"mean": row["mean"], "sd": row["sd"]}
                        for name, row in rows.iterrows()
                    },
                }
            )
    return found
