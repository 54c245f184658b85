"""Which printed coefficients are functionals of the effects of policy states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.published.functional import printed_terms
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.terms import POLICY_KINDS, parse_term


@dataclass(frozen=True, slots=True)
class PrintedColumns:
    """Printed treatment coefficients of several columns.

    Attributes
    ----------
    names
        ``table2.5:both``.
    estimates, ses, rounding
        Shapes (C,); the last is half a unit of the last printed digit.
    specs
        Each column's spec, as often as it has coefficients.
    position
        Position of each coefficient among its spec's terms.
    inflate
        Whether standard errors suppose independent errors, so that serial correlation inflates
        them.
    """

    names: tuple[str, ...]
    estimates: FloatArray
    ses: FloatArray
    rounding: FloatArray
    specs: tuple[Spec, ...]
    position: tuple[int, ...]
    inflate: np.ndarray

    def take(self, at: np.ndarray) -> PrintedColumns:
        """Some of the coefficients."""
        return PrintedColumns(
            tuple(self.names[k] for k in at),
            self.estimates[at],
            self.ses[at],
            self.rounding[at],
            tuple(self.specs[k] for k in at),
            tuple(self.position[k] for k in at),
            self.inflate[at],
        )


def printed_columns(study: Study, cells: Collection[str]) -> tuple[PrintedColumns, dict[str, str]]:
    """Treatment coefficients of all columns that can be inverted together; why others cannot.

    Parameters
    ----------
    cells
        References of the cells that the study's contrasts are read from: columns must share their
        covariates, so that they are one model.

    Raises
    ------
    InputError
        If a cell has no standard error, or no column can be used.
    """
    for ref in cells:
        cell = study.cell(ref)
        if cell.se is None or float(cell.se) <= 0:
            raise InputError(
                "a published effect has no standard error",
                column=ref,
                file=study.path,
                remedy="add 'se' to the cell",
            )
    taken, left = mapped_specs(study, cells)
    if not taken:
        raise InputError(
            "no printed column is a two-way regression on policy states",
            file=study.path / "study.toml",
            column="synergy",
            value="; ".join(f"{name}: {why}" for name, why in list(left.items())[:3]),
            remedy="name columns of family twfe under [synergy]",
        )
    names: list[str] = []
    values: list[tuple[float, float, float]] = []
    specs: list[Spec] = []
    position: list[int] = []
    inflate: list[bool] = []
    for name in taken:
        spec = study[name]
        for k, term in enumerate(printed_terms(spec)):
            if spec.column.family == "event_study" and not _is_estimate(spec, term):
                continue  # event times that are not printed
            cell = study.cell(f"{name}:{term}")
            assert cell.se is not None
            names.append(f"{name}:{term}")
            values.append((float(cell.value), float(cell.se), float(cell.value.half_width)))
            specs.append(spec)
            position.append(k)
            inflate.append(spec.column.se_kind != "clustered")
    estimates, ses, rounding = np.array(values).T
    flags = np.array(inflate)
    columns = PrintedColumns(
        tuple(names), estimates, ses, rounding, tuple(specs), tuple(position), flags
    )
    return columns, left


def mapped_specs(study: Study, cells: Collection[str]) -> tuple[list[str], dict[str, str]]:
    """Columns whose coefficients are functionals of state effects, and why others are not."""
    main = _covariates(study, cells)
    taken, left = [], {}
    for name, spec in study.specs.items():
        column = spec.column
        factors = [f for text in column.treatments for f in parse_term(text).factors]
        event = column.family == "event_study"
        if not any(text in column.coefficients for text in printed_terms(spec)):
            continue  # nothing is printed
        reason = ""
        if column.outcome != study.file.outcome.column:
            reason = "another outcome"
        elif not event and column.family != "twfe":
            reason = f"not a two-way regression ({column.family})"
        elif any(f.kind not in POLICY_KINDS for f in factors):
            reason = "terms other than states"
        elif column.sample.groups:
            reason = "which units its sample has is not published"
        elif study.file.panel.repeated:
            reason = "rows are individuals, and how many each unit has is not published"
        elif column.sample.has_chosen_rows:
            reason = "a window of periods, or units chosen by name or state"
        elif column.rows == "differ":
            reason = "rows of its own, which are not published"
        elif column.printed_as == "ratio":
            reason = "ratios, not coefficients"
        elif column.outcome_lead:
            reason = "outcomes of later periods"
        elif set(column.covariates) != main:
            reason = "other covariates than the cells of the contrasts"
        elif (column.unit_effects, column.period_effects) != ("fixed", "fixed"):
            reason = "not two-way fixed effects"
        elif not event and not all(_is_estimate(spec, text) for text in column.treatments):
            reason = "a coefficient or a standard error is not printed"
        if reason:
            left[name] = reason
        else:
            taken.append(name)
    return taken, left


def _is_estimate(spec: Spec, term: str) -> bool:
    """Whether a term's coefficient is printed with a standard error."""
    cell = spec.column.coefficients.get(term)
    return cell is not None and cell.se is not None and float(Printed.parse(cell.se)) > 0


def _covariates(study: Study, cells: Collection[str]) -> set[str]:
    """Covariates of most of the columns that these cells are of."""
    found = [study[ref.partition(":")[0]].column.covariates for ref in cells]
    return set(Counter(map(frozenset, found)).most_common(1)[0][0]) if found else set()
