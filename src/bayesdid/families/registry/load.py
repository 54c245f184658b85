"""Load a study, and hold every spec of it against its family before anything is run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bayesdid.exceptions import InputError, nearest_name
from bayesdid.families.registry.validate import checked_options, family_of
from bayesdid.study.files import refuse_outside
from bayesdid.study.lines import located
from bayesdid.study.load import Study, read_study
from bayesdid.study.toml import read_toml


def load_study(path: str | Path, *, trust: bool = False) -> Study:
    """Load and validate a study folder.

    Parameters
    ----------
    trust
        Whether it may name files outside of its folder. A study is data from a stranger: leave
        this out unless you know who wrote it.

    Raises
    ------
    InputError
        Naming the file, the key and the remedy, if anything is missing, malformed, or stated but
        read by nothing.
    """
    study = read_study(path, trust=trust)
    refuse_outside(study)
    try:
        return check_study(study)
    except InputError as error:
        raise located(error, study.path) from error.__cause__


def check_study(study: Study) -> Study:
    """The study, its specs told which columns of a panel their families need.

    Raises
    ------
    InputError
        As :func:`~bayesdid.families.registry.validate.checked_options`, and for a prior on a term
        that no spec has.
    """
    specs = {}
    files = {table_id: table_file(study, table_id) for table_id in study.tables}
    for spec_id, spec in study.specs.items():
        file = files[spec.table.id]
        family = family_of(spec, file)
        options = checked_options(spec, family, file)
        if study.file.panel.repeated and family.is_used and not family.fitted:
            raise InputError(
                "a family that takes one row of each unit and period, but rows are individuals",
                file=file,
                column=f"{spec_id}.family",
                value=family.name,
                remedy="take a regression (twfe, pooled, event_study), or average individuals by "
                "unit and period",
            )
        specs[spec_id] = dataclasses.replace(
            spec, option_terms=options.terms(), in_panel=family.is_used
        )
    _check_priors(study)
    return dataclasses.replace(study, specs=specs)


def _check_priors(study: Study) -> None:
    """Refuse a prior on what no spec has among its treatments and covariates."""
    known = dict.fromkeys(
        term
        for spec in study.specs.values()
        for term in (*spec.column.treatments, *spec.column.covariates)
    )
    for term in study.file.priors.user:
        if term not in known:
            near = nearest_name(term, known)
            raise InputError(
                "prior on a term that no spec has",
                file=study.path / "study.toml",
                column="priors.user",
                value=term,
                remedy=f"did you mean {near}?" if near else "name a treatment or covariate",
            )


def table_file(study: Study, table_id: str) -> Path:
    """The file that holds a table: named after its id as a rule."""
    likely = study.path / f"{table_id}.toml"
    if likely.is_file():
        return likely
    for path in sorted(study.path.glob("*.toml")):
        if read_toml(path).get("id") == table_id:
            return path
    return likely  # a study made in memory
