"""Standard errors of few clusters: what their number allows."""

from __future__ import annotations

import re

from scipy.stats import t

from bayesdid.audit.below import mark
from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import cells, count, size_of_t
from bayesdid.audit.finding import Finding, Outcome, compare
from bayesdid.study.load import Spec, Study

_RESTRICTIONS = re.compile(r"^\s*(?:F|chi2)\s*\(\s*(\d+)")


def few_clusters(study: Study) -> Outcome:
    """Clusters are no more than rows; a joint test has fewer restrictions; marks hold by t(G - 1).

    The scores of G clusters add up to zero, so that their covariance has rank G - 1 at most. With
    G clusters the t distribution with G - 1 degrees of freedom is what programs use and the least
    that is needed (Cameron & Miller 2015, doi:10.3368/jhr.50.2.317): a mark that the normal
    distribution grants and this one does not is a warning.
    """
    for spec in study.specs.values():
        clusters, n = spec.column.clusters, count(spec.column.n)
        if clusters is None or spec.table.kind != "regression":
            continue
        if n is not None:
            yield compare(
                "few_clusters",
                f"{spec.id}:n",
                "clusters at most rows",
                Bounds.exactly(clusters),
                Bounds(0.0, n),
                severity="contradiction",
                assumptions=("a cluster has a row",),
                text=f"{clusters} clusters of {n} rows.",
            )
        yield from _joint_tests(spec, clusters)
        yield from _marks(spec, clusters)


def _joint_tests(spec: Spec, clusters: int) -> Outcome:
    for statistic in spec.column.statistic:
        found = _RESTRICTIONS.match(statistic.reference or "")
        if found is not None and int(found[1]) > 1:
            yield compare(
                "few_clusters",
                f"{spec.id}:{statistic.name}",
                "restrictions of a joint test at most clusters - 1",
                Bounds.exactly(int(found[1])),
                Bounds(0.0, clusters - 1),
                severity="warning",
                assumptions=("the test uses the clustered covariance",),
                text=f"a test of {found[1]} restrictions with {clusters} clusters, whose "
                f"covariance has rank {clusters - 1} at most.",
            )


def _marks(spec: Spec, clusters: int) -> Outcome:
    legend = spec.table.stars or {}
    for name, cell in cells(spec):
        size, level = size_of_t(cell), legend.get(mark(cell))
        if size is None or level is None or spec.column.printed_as == "ratio":
            continue
        least = float(2 * t.sf(size.high, clusters - 1))
        held = least <= level
        yield (
            None
            if held
            else Finding(
                "few_clusters",
                "warning",
                f"{spec.id}:{name}",
                "mark by the t distribution with clusters - 1 degrees of freedom",
                least,
                (least, 1.0),
                level,
                (0.0, level),
                least - level,
                ("errors are clustered in as many as declared",),
                f"{cell.estimate}: with {clusters} clusters |t| up to {size.high:.2f} has p of at "
                f"least {least:.2g} by t({clusters - 1}); the mark says below {level:g}.",
            )
        )
