"""Bayesian re-analysis of panel difference-in-differences studies.

>>> import bayesdid as bd
>>> fit = bd.did(df, "deaths ~ D + x1 | city + year")  # doctest: +SKIP
>>> study = bd.load_study("models/my_study")  # doctest: +SKIP
>>> panel = bd.load_panel(study)  # doctest: +SKIP
>>> fit = bd.fit(study["table1.1"], panel)  # doctest: +SKIP
>>> bd.contrast_table(fit)  # doctest: +SKIP

Names are imported when they are first used, so that ``import bayesdid`` is light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_EXPORTS = {
    "did": "bayesdid.front.did",
    "study_of": "bayesdid.front.study",
    "event_study": "bayesdid.front.event_study",
    "etable": "bayesdid.report.etable",
    "coefplot": "bayesdid.report.coefplot",
    "iplot": "bayesdid.report.coefplot",
    "panelview": "bayesdid.report.panelview",
    "load_study": "bayesdid.families.registry.load",
    "load_panel": "bayesdid.panel.load",
    "read_panel": "bayesdid.panel.read",
    "simulate_panel": "bayesdid.panel.simulate",
    "build_design": "bayesdid.design.build",
    "model": "bayesdid.model",
    "fit": "bayesdid.inference.fit",
    "accept_draws": "bayesdid.inference.fit",
    "spatial_design": "bayesdid.spatial.design",
    "resolve_weights": "bayesdid.spatial.weights.build",
    "make_weights": "bayesdid.spatial.weights.weights",
    "analyse": "bayesdid.families.run",
    "agree": "bayesdid.peers.agreement",
    "contrast_table": "bayesdid.estimands.contrasts",
    "few_treated": "bayesdid.estimands.few_treated",
    "synergy": "bayesdid.front.synergy",
    "printed_effects": "bayesdid.published.single",
    "published_synergy": "bayesdid.published.synergy",
    "run_checks": "bayesdid.checks.run",
    "design_analysis": "bayesdid.checks.design_analysis",
    "Plan": "bayesdid.checks.planned",
    "examine": "bayesdid.checks.examine",
    "audit_study": "bayesdid.audit.run",
    "pool_studies": "bayesdid.pool.run",
    "import_study": "bayesdid.importing.folder",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("bayesdid")
    if name not in _EXPORTS:
        raise AttributeError(f"module 'bayesdid' has no attribute '{name}'")
    module = import_module(_EXPORTS[name])
    # one name is a package and, called, a function
    return module if module.__name__ == f"{__name__}.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
