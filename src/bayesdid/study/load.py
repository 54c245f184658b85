"""Load a study folder: ``study.toml``, one TOML per table or figure, ``claims.toml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bayesdid.exceptions import InputError, nearest_name
from bayesdid.notebook import html, lines, listed
from bayesdid.study.cells import CellValue, find_cell
from bayesdid.study.claims import Claim, ClaimsFile
from bayesdid.study.lines import line_of, located
from bayesdid.study.paths import inside, is_file
from bayesdid.study.printed import Printed
from bayesdid.study.printing import spread_table
from bayesdid.study.schema import Column, Policy, PriorSection, StudyFile, TableFile
from bayesdid.study.terms import Factor, parse_term
from bayesdid.study.toml import read_toml

_SPECIAL = frozenset({"study.toml", "claims.toml"})


@dataclass(frozen=True, slots=True)
class Spec:
    """One column of a published table: what was regressed on what, and what was printed.

    Attributes
    ----------
    id
        ``"table2.5"``: the table's id and the column's.
    column
        The declaration, covariate sets expanded.
    table
        The table it stands in.
    study_id
        The study it belongs to.
    priors
        What the study says of priors.
    option_terms
        Terms that its options name, as its family declares them.
    in_panel
        Whether a panel must have its columns; False for what is printed only.
    """

    id: str
    column: Column
    table: TableFile
    study_id: str
    priors: PriorSection
    option_terms: tuple[str, ...] = ()
    in_panel: bool = True

    def __repr__(self) -> str:
        c = self.column
        right = " + ".join((*c.treatments, *c.covariates)) or "what its family makes"
        effects = f"unit effects {c.unit_effects}, period effects {c.period_effects}"
        return lines(f"Spec {self.id}: {self.title}", [f"{c.outcome} ~ {right}", c.family, effects])

    def _repr_html_(self) -> str:
        return html(repr(self))

    @property
    def title(self) -> str:
        """Label for people: table, column and its heading."""
        label = f": {self.column.label}" if self.column.label else ""
        return f"{self.table.place or self.table.title} ({self.column.id}){label}"


@dataclass(frozen=True, slots=True)
class Study:
    """A study as published. Index it with a spec's id: ``study["table2.5"]``.

    Attributes
    ----------
    path
        The study's folder.
    file
        The contents of ``study.toml``.
    tables
        Table id -> its contents, in file order.
    claims
        Quantitative statements of the text.
    specs
        Spec id -> spec, in the order of the tables.
    trust
        Whether it may name files outside of its folder.
    """

    path: Path
    file: StudyFile
    tables: dict[str, TableFile]
    claims: tuple[Claim, ...]
    specs: dict[str, Spec]
    trust: bool = False

    def __repr__(self) -> str:
        outcome, policies = self.file.outcome, [policy.id for policy in self.policies]
        return lines(
            f"Study {self.id}: {self.file.study.title}",
            [
                f"outcome {outcome.column} ({outcome.unit})",
                f"policies: {listed(policies)}",
                f"specs: {listed(list(self.specs))}",
                f"{len(self.claims)} claims" if self.claims else "",
            ],
        )

    def _repr_html_(self) -> str:
        return html(repr(self))

    @property
    def id(self) -> str:
        """The study's identifier."""
        return self.file.study.id

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies, in the order of ``study.toml``."""
        return self.file.policy

    def __getitem__(self, spec_id: str) -> Spec:
        try:
            return self.specs[spec_id]
        except KeyError:
            raise InputError(
                "no such spec",
                file=self.path,
                value=spec_id,
                remedy=f"use one of {', '.join(self.specs) or '(none declared)'}",
            ) from None

    def inside(self, name: str) -> Path:
        """The path of a file that ``study.toml`` names, relative to the study folder.

        Raises
        ------
        InputError
            If it is outside of the folder and the study is not trusted.
        """
        return inside(self.path, name, trust=self.trust)

    def find(self, name: str) -> Path:
        """The path of a file that a spec or a user names: in the study folder, or else as it is."""
        return own if is_file(own := self.path / name) else Path(name)

    def cell(self, ref: str) -> CellValue:
        """The printed number at `ref`, e.g. ``table2.5:both`` or ``table1:safety.mean``."""
        return find_cell(ref, self.tables, self.path)


def read_study(path: str | Path, *, trust: bool = False) -> Study:
    """Read a study folder: its structure and references, without what families make of its specs.

    :func:`bayesdid.load_study` also holds every spec against its family.

    Parameters
    ----------
    trust
        Whether its files may stand outside of the folder, or be links that lead there.

    Raises
    ------
    InputError
        Naming the file, the key and the remedy, if anything is missing or malformed.
    """
    folder = Path(path)
    try:
        return _read(folder, trust=trust)
    except InputError as error:
        raise located(error, folder) from error.__cause__


def _read(folder: Path, *, trust: bool) -> Study:
    if not (folder / "study.toml").is_file():
        raise InputError(
            "not a study folder: it holds no study.toml",
            file=folder,
            remedy="name a folder such as models/dual_pilot, or see docs/study-format.md",
        )
    file = _parse(inside(folder, "study.toml", trust=trust), StudyFile)
    tables: dict[str, TableFile] = {}
    for source in sorted(folder.glob("*.toml"), key=_natural):
        if source.name in _SPECIAL:
            continue
        table = _parse(inside(folder, source.name, trust=trust), TableFile)
        if table.id in tables:
            raise InputError(
                "table id used twice",
                file=source,
                column="id",
                value=table.id,
                remedy="give each table file an id of its own",
            )
        tables[table.id] = table
    claims = (
        _parse(inside(folder, "claims.toml", trust=trust), ClaimsFile).claim
        if (folder / "claims.toml").is_file()
        else ()
    )
    return assemble_study(folder, file, tables, claims, trust=trust)


def assemble_study(
    folder: Path,
    file: StudyFile,
    tables: dict[str, TableFile],
    claims: tuple[Claim, ...] = (),
    *,
    trust: bool = False,
) -> Study:
    """Put the parts of a study together and check that they refer to each other correctly.

    Raises
    ------
    InputError
        If a spec, claim or contrast names a policy, covariate set, spec or cell that is not there.
    """
    tables = {
        name: spread_table(table, file.stars, folder / f"{table.id}.toml")
        for name, table in tables.items()
    }
    study = Study(folder, file, tables, claims, _specs(folder, file, tables), trust)
    _check_references(study)
    return study


def _natural(path: Path) -> tuple[str, int]:
    digits = "".join(char for char in path.stem if char.isdigit())
    return path.stem.rstrip("0123456789"), int(digits or 0)


def _parse[T: BaseModel](path: Path, model: type[T]) -> T:
    raw = read_toml(path)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        # a misspelt name explains a missing one
        first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
        value, last = first["input"], str(first["loc"][-1]) if first["loc"] else ""
        said = SAID_OTHERWISE.get(last, "") if first["type"] == "extra_forbidden" else ""
        meant = _meant(model, first["loc"]) if first["type"] == "extra_forbidden" else ""
        raise InputError(
            f"{first['msg'].removeprefix('Value error, ')}{more}",
            file=path,
            line=line_of(path.read_text(encoding="utf-8-sig"), first["loc"] or _twice(raw)),
            column=".".join(str(part) for part in first["loc"]) or None,
            value=value if isinstance(value, str | int | float | bool) else None,
            remedy=said or meant or "see docs/study-format.md or the JSON Schema (bayesdid schema)",
        ) from error


# what a call from a data frame takes, and a column of a study says otherwise
SAID_OTHERWISE = {
    "likelihood": (
        "the columns of a study are fitted as normal; a column of family errors fits others beside "
        'it: options = { models = ["student_t"] }, of counts options = { models = '
        '["negative_binomial"], counts = "COLUMN", exposure = "COLUMN" }; bayesdid did '
        "--likelihood fits one regression under any"
    )
}


def _twice(raw: Mapping[str, object]) -> tuple[int | str, ...]:
    """Where an id stands for the second time among the tables of an array; empty if none does."""
    for name, items in raw.items():
        seen: set[str] = set()
        for k, item in enumerate(items if isinstance(items, list) else ()):
            key = item.get("id") if isinstance(item, dict) else None
            if isinstance(key, str) and key in seen:
                return name, k, "id"
            seen |= {key} if isinstance(key, str) else set()
    return ()


def _meant(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """The field that an unknown one at `place` may have been meant to be."""
    for part in place[:-1]:
        if part in model.model_fields:
            inner = _models(model.model_fields[str(part)].annotation)
            model = inner[0] if inner else model
    near = nearest_name(str(place[-1]), model.model_fields)
    return f"did you mean '{near}'" if near else ""


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models inside of a type such as ``tuple[Column, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _specs(folder: Path, file: StudyFile, tables: dict[str, TableFile]) -> dict[str, Spec]:
    specs: dict[str, Spec] = {}
    for table in tables.values():
        for column in table.column:
            spec_id = f"{table.id}.{column.id}"
            if spec_id in specs:
                raise InputError(
                    "two columns with one id",
                    file=folder / f"{table.id}.toml",
                    value=spec_id,
                    remedy="number the columns",
                )
            covariates: list[str] = []
            for name in column.covariates:
                if not name.startswith("@"):
                    covariates.append(name)
                elif name[1:] in file.covariate_sets:
                    covariates.extend(file.covariate_sets[name[1:]])
                else:
                    raise InputError(
                        "unknown covariate set",
                        file=folder / f"{table.id}.toml",
                        column=f"{spec_id}.covariates",
                        value=name,
                        remedy="declare it under [covariate_sets] in study.toml",
                    )
            expanded = column.model_copy(update={"covariates": tuple(covariates)})
            specs[spec_id] = Spec(spec_id, expanded, table, file.study.id, file.priors)
    return specs


def _check_references(study: Study) -> None:
    """Every policy, set, spec and cell that a file names must exist."""
    policies = {policy.id for policy in study.policies}
    for spec in study.specs.values():
        where = study.path / f"{spec.table.id}.toml"
        texts = [*spec.column.treatments, *spec.column.covariates]
        for text in (*texts, *(spec.column.sample.sequences or ())):
            for factor in _factors(text, where, spec.id):
                _known(factor.policies, policies, where, spec.id)
                if factor.kind == "both" and not factor.policies and len(policies) > 2:
                    raise InputError(
                        f"both does not say which of {len(policies)} policies",
                        file=where,
                        column=spec.id,
                        value=text,
                        remedy="write both:P+Q for two of them, or all",
                    )
        for name in spec.column.sample.only or ():
            _known(name.split("+"), policies, where, spec.id)
        for other in spec.column.same_sample_as:
            if other not in study.specs:
                raise InputError(
                    "same_sample_as names no spec",
                    file=where,
                    column=spec.id,
                    value=other,
                    remedy=f"use one of {', '.join(study.specs)}",
                )
    for ref in _cell_references(study):
        study.cell(ref)
    for claim in study.claims:
        if claim.effect is not None:
            _ = study[claim.effect.partition(":")[0]]  # raises if there is no such spec
    _check_synergy(study)
    design = study.file.design
    named: dict[str, Iterable[str]] = {
        "design.timing.rounds": design.timing.rounds,
        "design.only": design.only,
        "design.first": design.first,
        "synergy.first_none": study.file.synergy.first_none,
        "synergy.first_single": study.file.synergy.first_single,
    }
    for place, names in named.items():
        for name in names:
            # of three and more policies, counts of pairs are written P+Q
            parts = name.split("+") if place == "design.only" else [name]
            if not set(parts) <= policies:
                raise InputError(
                    f"[{place}] names no policy",
                    file=study.path / "study.toml",
                    column=place,
                    value=name,
                    remedy=f"use one of {', '.join(sorted(policies))}",
                )


def _check_synergy(study: Study) -> None:
    """The cells of contrasts must be of states that the study's policies have."""
    cells, policies = study.file.synergy, [policy.id for policy in study.policies]
    of_two = [cells.both_none, cells.both_single, cells.interaction]
    two = any(of_two) or bool(cells.first_none or cells.first_single)
    more = bool(cells.all_none or cells.pair_none)
    problem, remedy, value = "", "", None
    if two and len(policies) > 2:
        problem = f"cells of both, among {len(policies)} policies"
        remedy = "give all_none, pair_none and only_none"
    elif more and len(policies) < 3:
        problem = "all_none and pair_none are of three and more policies"
        remedy = "give both_none and only_none"
    known = {"+".join(pair) for pair in combinations(policies, 2)} | set(policies)
    for name in (*cells.only_none, *cells.pair_none) if not problem else ():
        if name not in known:
            problem, value = "[synergy] names no policy, or no pair in the study's order", name
            remedy = f"use one of {', '.join(sorted(known))}"
    if problem:
        raise InputError(
            problem, file=study.path / "study.toml", column="synergy", value=value, remedy=remedy
        )


def _known(names: Iterable[str], policies: set[str], where: Path, spec_id: str) -> None:
    for name in names:
        if name not in policies:
            raise InputError(
                "unknown policy",
                file=where,
                column=spec_id,
                value=name,
                remedy=f"use one of {', '.join(sorted(policies))}",
            )


def _factors(text: str, where: Path, spec_id: str) -> tuple[Factor, ...]:
    try:
        return parse_term(text).factors
    except ValueError as error:
        raise InputError(str(error), file=where, column=spec_id, value=text) from error


def _cell_references(study: Study) -> list[str]:
    synergy = study.file.synergy
    refs = [synergy.both_none, synergy.both_single, synergy.interaction, synergy.all_none]
    groups = (synergy.only_none, synergy.pair_none, synergy.first_none, synergy.first_single)
    for group in groups:
        refs.extend(group.values())
    for claim in study.claims:
        refs.append(claim.cell)
        if claim.comparison:
            refs.extend((claim.comparison.stronger, claim.comparison.weaker))
        if claim.percent_of not in (None, "log", "ratio"):
            refs.append(claim.percent_of)
    return [ref for ref in refs if ref is not None]


def printed(text: str | None) -> Printed | None:
    """Read an optional printed number."""
    return None if text is None else Printed.parse(text)
