"""What the columns of a panel file seem to be: keys, policies, outcome, covariates, groups.

Names and Stata's variable labels are hints; what decides is what the values allow: keys identify
rows, a policy's column turns on within units and stays, an adoption column is constant in a unit
and lies within the panel's periods.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.panel.calendar import Periods, read_periods
from bayesdid.panel.kinds import Kind, Writing
from bayesdid.panel.wide import across_remedy, wide_remedy
from bayesdid.study.derived import COLUMN, quoted

UNIT_HINT = (
    r"(^|_)(id|unit|city|county|state|country|province|prov|region|firm|fips|code|name)s?($|_)"
    r"|市|省|县|地区|企业|代码|名称"
)
PERIOD_HINT = (
    r"(^|_)(year|time|date|period|month|quarter|week|wave|round|t|ym|yq)s?($|_)"
    r"|年|月|季|时间|期|轮"
)
OUTCOME_HINT = (
    r"(^|_)(y|outcome|depvar|deaths?|mortality|homicides?|crime|fatal\w*|\w*ra?te|emissions?|"
    r"pm2?5|so2|co2|tfp|wages?|accidents?|injur\w*|suicides?|arrests?|patents?)($|_)"
    r"|被解释|因变量|死亡|事故|排放|浓度|强度|效率|生产率"
)
POLICY_HINT = (
    r"(^|_)(did|treat\w*|policy|post|law|active|adopt\w*|pilot|first|start|cohort|gvar|g|d)($|_)"
    r"|政策|试点|处理"
)
COVARIATE_HINT = (
    r"(^|_)(x\d*|controls?|covar\w*|unem\w*|poverty|income|gdp\w*|lngdp|educ\w*|age\w*|urban\w*|"
    r"density|fiscal|invest\w*|trade|fdi|industr\w*|perc\w*|share\w*)($|_)|控制|失业|收入|人均"
)
SIZE_HINT = r"(^|_)(pop\w*|weights?|wt|aw|fw|pw|households?)($|_)|人口|权重"
LONGITUDE, LATITUDE = r"^(lon|long|longitude|lng|经度)$", r"^(lat|latitude|纬度)$"
YEARS = 1800, 2100  # numbers between are years, no codes of units or of a state
MOST_COVARIATES = 6
MOST_LEVELS = 8  # of a group
MISSING = 0.1  # share of missing rows above which a covariate would cost too many
ALIKE = 0.98  # correlation within units above which one column is a version of another


@dataclass(frozen=True, slots=True)
class Guess:
    """A column, and why it is taken for what it is, or left out."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class GroupGuess:
    """A column that sorts units into levels."""

    name: str
    reason: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """The columns that identify rows."""

    unit: Guess
    period: Guess
    writing: Writing
    step: pd.Series

    @property
    def kind(self) -> Kind:
        """What a period is."""
        return self.writing.kind


def hinted(pattern: str, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a column's name, or its label, has a word of the pattern."""
    texts = (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name), labels.get(name, "").replace(" ", "_"))
    return any(re.search(pattern, text, re.IGNORECASE) for text in texts)


def periods_of(frame: pd.DataFrame, name: str) -> Periods | None:
    """A column read as periods, or None if it holds none."""
    values = frame[name]
    if values.isna().any() or not 2 <= values.nunique() <= max(2, len(values) // 2):
        return None
    try:
        return read_periods(values, "", name, pd.Series(np.arange(len(values))))
    except InputError:
        return None


def is_dated(frame: pd.DataFrame, name: str) -> bool:
    """Whether a column holds dates, quarters ... or years."""
    if name not in frame or (read := periods_of(frame, name)) is None:
        return False
    years = read.index.between(*YEARS).all()
    return read.kind not in {"number", "wave"} or bool(years)


def _refuse_unread(
    frame: pd.DataFrame, names: list[str], labels: Mapping[str, str], period: str | None
) -> None:
    """Refuse periods that cannot be read, in a column that is named or called as one."""
    for name in names:
        called = name == period or (period is None and hinted(PERIOD_HINT, name, labels))
        if called and frame[name].nunique() <= max(2, len(frame) // 2):
            read_periods(frame[name], "the panel", name, pd.Series(np.arange(1, len(frame) + 1)))


def guess_keys(
    frame: pd.DataFrame, labels: Mapping[str, str], unit: str | None, period: str | None
) -> Keys:
    """The pair of columns that identifies rows and looks most like a unit and a period.

    Raises
    ------
    InputError
        If none does.
    """
    whole = [n for n in frame.columns if frame[n].notna().all() and frame[n].nunique() >= 2]
    dated = {n: found for n in whole if (found := periods_of(frame, n)) is not None}
    times = {n: found for n, found in dated.items() if n == (period or n)}
    units = [n for n in whole if n == (unit or n) and frame[n].nunique() < len(frame)]

    def score(pair: tuple[str, str]) -> tuple[int, int]:
        one, two = pair
        points = 3 * hinted(UNIT_HINT, one, labels) + 3 * hinted(PERIOD_HINT, two, labels)
        points += 2 * (times[two].kind not in {"number", "wave"})  # P1 may be a plot
        points += int(not pd.api.types.is_numeric_dtype(frame[one]))
        points -= 4 * (one in dated and hinted(PERIOD_HINT, one, labels))
        return points, -frame[one].nunique()

    pairs = [
        (one, two)
        for one, two in product(units, times)
        if one != two and not pd.api.types.is_float_dtype(_used(frame[one]))
    ]
    unique = [pair for pair in pairs if not frame.duplicated(list(pair)).any()]
    unread = [n for n in whole if n not in dated]
    unread = [n for n in unread if any(not frame.duplicated([u, n]).any() for u in units)]
    if not unique:
        _refuse_unread(frame, unread, labels, period)
        wide = wide_remedy(frame.columns, unit or str(frame.columns[0]), period or "year")
        wide = wide or across_remedy(frame, unit or "unit", period or "year")
        raise InputError(
            "no two columns identify the rows as unit and period",
            column=", ".join(name for name in (unit, period) if name) or None,
            remedy=wide
            or "name them with --unit and --time; several rows of one unit and period must be made "
            "one first",
        )
    one, two = max(unique, key=score)
    if not hinted(PERIOD_HINT, two, labels):
        _refuse_unread(frame, unread, labels, period)
    step, kind = times[two].index, times[two].kind
    count, span = frame[one].nunique(), frame[two].nunique()
    return Keys(
        Guess(one, f"with {two} it identifies every row; {count} units"),
        Guess(two, f"{span} periods, read as {kind}s" if kind != "number" else f"{span} periods"),
        times[two].writing,
        step,
    )


def _used(values: pd.Series) -> pd.Series:
    """Whole numbers that a file stores as floats, as whole numbers."""
    if pd.api.types.is_float_dtype(values) and (values == values.round()).all():
        return values.astype("int64")
    return values


def within(frame: pd.DataFrame, unit: str, name: str) -> bool:
    """Whether a column changes within some unit."""
    return _differs(frame, unit, name)


def across(frame: pd.DataFrame, period: str, name: str) -> bool:
    """Whether a column differs between units in some period."""
    return _differs(frame, period, name)


def _differs(frame: pd.DataFrame, key: str, name: str) -> bool:
    """Whether a column has two values for one value of `key`."""
    pairs = frame[[key, name]].dropna().drop_duplicates()
    return bool(pairs[key].duplicated().any())


def is_number(frame: pd.DataFrame, name: str) -> bool:
    """Whether a column holds numbers, some of them."""
    return pd.api.types.is_numeric_dtype(frame[name]) and frame[name].notna().any()


def guess_outcome(
    frame: pd.DataFrame, labels: Mapping[str, str], keys: Keys, taken: Iterable[str]
) -> Guess:
    """The column that is most likely the outcome.

    Raises
    ------
    InputError
        If no column of numbers changes within units.
    """
    left = [
        name
        for name in frame.columns
        if name not in {*taken}
        and is_number(frame, name)
        and frame[name].nunique() > 2
        and within(frame, keys.unit.name, name)
        and across(frame, keys.period.name, name)
        and not hinted(SIZE_HINT, name, labels)
    ]
    if not left:
        raise InputError(
            "no column of numbers changes within units, as an outcome does",
            remedy="name it with --outcome",
        )
    named = [name for name in left if hinted(OUTCOME_HINT, name, labels)]
    if named:
        return Guess(named[0], "its name or label says so, and it changes within units")
    own = [name for name in left if not hinted(COVARIATE_HINT, name, labels)]
    first = "the first column of numbers that changes within units"
    if 0 < len(own) < len(left):
        return Guess(own[0], f"{first} and is not named as covariates are; check it")
    return Guess(left[0], f"{first}; check it")


def _no_numbers(values: pd.Series) -> str:
    """Why a column is none of numbers: words, or a mark such as … among numbers."""
    told = values.dropna()
    numbers = pd.to_numeric(told.astype(str), errors="coerce")
    if 2 * int(numbers.notna().sum()) < len(told):
        return "no numbers"
    odd = told[numbers.isna()]
    mark = str(odd.iloc[0]).strip()
    if any(map(str.isalnum, mark)):
        return f"numbers, but {len(odd)} cells hold '{mark}': empty them, and it may be one"
    return (
        f"numbers, but {len(odd)} cells hold a mark ('{mark}'): say --missing '{mark}' if it means "
        "not known"
    )


def guess_covariates(
    frame: pd.DataFrame, labels: Mapping[str, str], keys: Keys, outcome: str, taken: Iterable[str]
) -> tuple[list[Guess], list[Guess]]:
    """Covariates, and the columns that are left out with the reason."""
    unit, period = keys.unit.name, keys.period.name
    chosen: list[Guess] = []
    left: list[Guess] = []
    free = [name for name in frame.columns if name not in {*taken, outcome}]
    hints = {name for name in free if hinted(COVARIATE_HINT, name, labels)}
    for name in sorted(free, key=lambda name: name not in hints):  # a stable sort
        why = ""
        if not is_number(frame, name):
            why = _no_numbers(frame[name])
        elif not re.fullmatch(COLUMN, quoted(name)):
            why = "its name holds * @ ~ | or a backtick: rename it"
        elif not within(frame, unit, name):
            why = "constant within units: unit effects absorb it"
        elif not across(frame, period, name):
            why = "the same for all units: period effects absorb it"
        elif (missing := frame[name].isna().mean()) > MISSING:
            why = f"missing in {missing:.0%} of rows"
        elif hinted(SIZE_HINT, name, labels):
            why = "seems to be a size or a weight"
        elif _alike(frame, unit, name, outcome):
            why = f"a version of the outcome {outcome}"
        elif twin := next((c.name for c in chosen if _alike(frame, unit, name, c.name)), ""):
            why = f"a version of {twin}"
        elif hints and name not in hints and chosen:
            why = "no name of a covariate, beside others that have one"
        elif len(chosen) == MOST_COVARIATES:
            why = f"{MOST_COVARIATES} covariates are enough for a start"
        if why:
            left.append(Guess(name, why))
        else:
            chosen.append(Guess(name, "changes within units and differs between them"))
    return chosen, left


def _alike(frame: pd.DataFrame, unit: str, one: str, two: str) -> bool:
    """Whether two columns move together within units, as they are or on a log scale."""
    pair = frame[[one, two]].astype(float)
    forms = [pair]
    if (pair > 0).all().all():
        forms += [pair.assign(**{one: np.log(pair[one])}), pair.assign(**{two: np.log(pair[two])})]
    for form in forms:
        moved = form - form.groupby(frame[unit]).transform("mean")
        if (moved.std() > 0).all() and abs(moved.corr().iloc[0, 1]) > ALIKE:
            return True
    return False


def guess_groups(frame: pd.DataFrame, unit: str, taken: Iterable[str]) -> list[GroupGuess]:
    """Columns of text that sort units into a few groups."""
    found = []
    for name in frame.columns:
        if name in {*taken} or is_number(frame, name):
            continue
        count, whole = frame[name].nunique(), frame[name].notna().all()
        if whole and 2 <= count <= MOST_LEVELS and not within(frame, unit, name):
            levels = tuple(sorted(map(str, frame[name].unique())))
            found.append(GroupGuess(name, f"text, constant in a unit, {count} levels", levels))
    return found
