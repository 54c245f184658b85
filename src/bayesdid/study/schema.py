"""What a study file may say. Pydantic models of ``study.toml`` and of one table or figure.

Nothing here knows pandas or PyMC, and nothing in a study file is ever evaluated.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from bayesdid.study.derived import FUNCTIONS
from bayesdid.study.effects import EffectText, parse_effect
from bayesdid.study.fields import (
    MOST_UNITS,
    Adopting,
    ArmText,
    ColumnText,
    Count,
    Identifier,
    IntervalText,
    Level,
    MarkText,
    OrderText,
    PeriodText,
    PrintedText,
    PText,
    Strict,
    TermText,
    UnitText,
)
from bayesdid.study.spatial_weights import SpatialWeights

EffectKind = Literal["fixed", "random", "mundlak", "none"]
RowWeightsKind = Literal["analytic", "frequency"]
Rows = Literal["unknown", "all", "differ"]
Below = Literal["se", "t", "p", "interval"]
BELOW: tuple[Below, ...] = ("se", "t", "p", "interval")
PrintedAs = Literal["coefficient", "ratio"]
R2Kind = Literal["unknown", "overall", "within", "adjusted"]
SeKind = Literal["unknown", "iid", "robust", "clustered"]


# ---------------------------------------------------------------- study.toml


class About(Strict):
    """Who published what, where."""

    id: Identifier
    title: str
    citation: str
    summary: str = ""
    doi: str | None = None
    licence: str = Field(default="", description="Under which the microdata may be used")
    question: str = Field(default="", description="The question the report answers, one sentence")


class Outcome(Strict):
    """The main outcome and how to speak about it."""

    column: ColumnText = Field(description=f"A column, or {FUNCTIONS}")
    label: str
    unit: str = Field(description="Unit of one, e.g. 'hundreds of deaths per city-year'")
    natural_per_unit: float = Field(default=1.0, description="Natural units in one unit, e.g. 100")
    natural_unit: str = Field(default="", description="e.g. 'deaths per city-year'")
    better: Literal["lower", "higher"] = "lower"
    minimum: float | None = Field(default=None, description="Smallest possible value, if any")

    def minimum_of(self, column: str) -> float | None:
        """Smallest possible value of a column: known for the main outcome only."""
        return self.minimum if column == self.column else None


class Policy(Strict):
    """One policy: either its adoption period per unit, or a 0/1 (or fractional) indicator."""

    id: Identifier
    label: str
    adoption: str | None = Field(default=None, description="Column with the adoption period")
    indicator: str | None = Field(default=None, description="Column with the policy's state")
    cut: float = Field(default=0.5, gt=0, le=1, description="Indicator >= cut means active")
    missing: Literal["refuse", "drop"] = Field(
        default="refuse", description="Rows without a value of the indicator: refuse, or leave out"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Policy:
        if (self.adoption is None) == (self.indicator is None):
            raise ValueError("give exactly one of 'adoption' and 'indicator'")
        return self


class Variable(Strict):
    """A panel column, what it means and how the tables print its name."""

    column: str
    label: str
    unit: str = ""
    printed: tuple[str, ...] = Field(default=(), description="Names used in the tables")


class Group(Strict):
    """A time-constant grouping of units, e.g. region, with its levels' labels."""

    column: str
    label: str
    levels: dict[str, str] = Field(description="value in the panel -> label")
    members: dict[str, tuple[str, ...]] = Field(
        default={}, description="value -> units, for a panel without such a column"
    )


class Simulation(Strict):
    """Settings of the simulated stand-in panel; see :mod:`bayesdid.panel.simulate`."""

    seed: int = 0
    truth: dict[TermText, float] = Field(description="Effect of each term, in outcome units")
    covariates: dict[str, float] = Field(default={}, description="Coefficient of each covariate")
    moments: str | None = Field(default=None, description="Descriptive table with the moments")
    sigma: float = Field(gt=0)
    sigma_unit: float = Field(ge=0)
    sigma_period: float = Field(ge=0)
    phi: float = Field(default=0.0, gt=-1, lt=1, description="AR(1) within units")
    correlation: float = Field(
        default=0.0, gt=-1, lt=1, description="Of unit effects with the number of policies"
    )
    adoption: dict[str, dict[str, Adopting]] = Field(
        description="policy -> {period: single units}; both -> {'p1,p2': dual units}; of three "
        "and more, 'P+Q' -> {'p,q': units} and all -> {'p1,p2,p3': units}"
    )
    groups: dict[str, dict[str, int]] = Field(default={}, description="column -> level -> units")
    policies: dict[str, dict[str, int]] = Field(
        default={}, description="0/1 column of a concurrent policy -> {period: units}"
    )
    responses: dict[str, dict[TermText, float]] = Field(
        default={}, description="covariate -> effect of terms on it, before scaling"
    )
    other_outcomes: dict[str, float] = Field(
        default={}, description="column -> factor by which it multiplies the outcome's equation"
    )
    places: str | None = Field(
        default=None,
        description="CSV with lon and lat, relative to the study folder: each unit gets a place "
        "of its own at random",
    )


class PackageSource(Strict):
    """A public panel that ships inside an installed Python package."""

    name: str
    dataset: str = Field(pattern=r"^[A-Za-z]\w*$")


class PanelSection(Strict):
    """The panel: its keys, its size, and where the default copy comes from."""

    unit: str = Field(description="Column that names the unit; also its dimension's name")
    period: str = Field(description="Column that names the period; also its dimension's name")
    units: int | None = Field(default=None, ge=1, le=MOST_UNITS)
    first_period: int | None = None
    last_period: int | None = None
    path: str | None = Field(default=None, description="File, relative to the study folder")
    sheet: str | None = Field(default=None, description="Sheet of a workbook")
    skip: int | None = Field(default=None, ge=0, description="Lines above the header")
    missing_marks: tuple[str, ...] = Field(
        default=(), description="Cells that mean not known beside empty ones: …, --"
    )
    package: PackageSource | None = None
    simulate: Simulation | None = None
    repeated: bool = Field(
        default=False, description="Rows are individuals, several of a unit in one period"
    )
    unit_labels: dict[str, str] = Field(default={}, description="unit value -> label")
    longitude: str | None = Field(default=None, description="Column, degrees, constant in time")
    latitude: str | None = Field(default=None, description="Column, degrees, constant in time")
    coordinates: str | None = Field(
        default=None,
        description="CSV with the unit column, lon and lat, relative to the study folder",
    )

    @property
    def has_coordinates(self) -> bool:
        """Whether the study says where its units are."""
        return self.longitude is not None or self.coordinates is not None

    @model_validator(mode="after")
    def _at_most_one_source(self) -> PanelSection:
        first, last = self.first_period, self.last_period
        if first is not None and last is not None and first > last:
            raise ValueError(f"first_period {first} is after last_period {last}")
        given = [key for key in ("path", "package", "simulate") if getattr(self, key) is not None]
        if "package" in given and len(given) > 1:  # a file may stand beside a simulation's settings
            raise ValueError(f"give package alone, or else path or simulate (got {given})")
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("give both longitude and latitude, or neither")
        if self.longitude is not None and self.coordinates is not None:
            raise ValueError("give either longitude and latitude, or coordinates")
        if self.simulate is not None and self.simulate.places and self.longitude is None:
            raise ValueError("simulate.places fills the columns longitude and latitude: name them")
        return self


class TimingSection(Strict):
    """What is published about who adopted when, for what printed columns estimate."""

    adoption: dict[str, dict[str, Adopting]] = Field(
        default={}, description="As that of [panel.simulate], which is the default"
    )
    known: bool = Field(default=False, description="Whether this adoption is a fact")
    rounds: dict[str, tuple[int, ...]] = Field(
        default={}, description="policy -> periods in which units joined"
    )
    both_share: PrintedText | None = Field(
        default=None, description="Mean of the state both over the rows of the panel, as printed"
    )
    sourced: str | None = Field(default=None, description="CSV: known adoptions, see reconstruct")
    source: str = ""


class Counts(Strict):
    """Design counts and where they come from."""

    none: Count | None = None
    single: Count | None = None
    dual: Count | None = None
    triple: Count | None = None
    only: dict[str, Count] = Field(default={}, description="policy -> single units of that policy")
    first: dict[str, Count] = Field(
        default={}, description="policy -> dual units that began with it"
    )
    simultaneous: Count | None = None
    timing: TimingSection = TimingSection()
    source: str = ""


class SynergySection(Strict):
    """Which published cells hold which contrast; keys of the dicts are policy ids."""

    both_none: str | None = None
    only_none: dict[str, str] = Field(default={}, description="policy -> cell")
    all_none: str | None = Field(
        default=None, description="Of three and more policies: the cell of all of them"
    )
    pair_none: dict[str, str] = Field(
        default={}, description="Of three and more policies: 'P+Q', on alone together -> cell"
    )
    both_single: str | None = None
    first_none: dict[str, str] = Field(default={}, description="policy first -> cell, vs none")
    first_single: dict[str, str] = Field(default={}, description="policy first -> cell, vs single")
    interaction: str | None = Field(default=None, description="Cell of a fitted interaction")
    rope: float | None = Field(
        default=None, ge=0, description="Half width of the ROPE, outcome units"
    )


class PriorTerm(Strict):
    """A user's normal prior on one coefficient."""

    mean: float = 0.0
    sd: float = Field(gt=0)


class PriorSection(Strict):
    """Priors of the study: a named set, and a user's own normal priors by term."""

    default: Literal["flat", "weak", "sceptical", "user"] = "weak"
    user: dict[TermText, PriorTerm] = Field(default={})


class StudyFile(Strict):
    """The whole of ``study.toml``."""

    schema_version: Literal[1] = 1
    study: About
    outcome: Outcome
    panel: PanelSection
    policy: tuple[Policy, ...] = Field(default=(), description="None if treatments are columns")
    variable: tuple[Variable, ...] = ()
    group: tuple[Group, ...] = ()
    covariate_sets: dict[str, tuple[str, ...]] = Field(default={})
    design: Counts = Counts()
    synergy: SynergySection = SynergySection()
    priors: PriorSection = PriorSection()
    weights: tuple[SpatialWeights, ...] = ()
    stars: dict[MarkText, Level] = Field(
        default={"*": 0.10, "**": 0.05, "***": 0.01}, description="Mark -> significance level"
    )

    @model_validator(mode="after")
    def _policies_differ(self) -> StudyFile:
        ids = [policy.id for policy in self.policy]
        if twice := [name for name in ids if ids.count(name) > 1]:
            raise ValueError(f"two policies have the id {twice[0]}")
        return self

    @model_validator(mode="after")
    def _weights_agree(self) -> StudyFile:
        ids = [spec.id for spec in self.weights]
        if twice := [name for name in ids if ids.count(name) > 1]:
            raise ValueError(f"two weights have the id {twice[0]}")
        far = [spec.id for spec in self.weights if spec.needs_coordinates]
        if far and not self.panel.has_coordinates:
            raise ValueError(
                f"the weights {far[0]} need distances: name longitude and latitude, or "
                "coordinates, under [panel]"
            )
        return self


# ------------------------------------------------------- one table or figure


class Cell(Strict):
    """A printed estimate with its uncertainty."""

    estimate: PrintedText
    se: PrintedText | None = None
    t: PrintedText | None = Field(default=None, description="t statistic")
    p: PText | None = Field(default=None, description="p-value: '<.001'")
    interval: IntervalText | None = Field(default=None, description="Interval: '[0.10, 0.73]'")
    parentheses: str | None = Field(
        default=None, description="What stands in parentheses: in_parentheses says what it is"
    )


class Impacts(Strict):
    """Spatial effects of one term."""

    direct: Cell | None = None
    indirect: Cell | None = None
    total: Cell | None = None


class Statistic(Strict):
    """A printed test statistic or other number below a column."""

    name: Identifier
    value: PrintedText
    label: str = ""
    reference: str | None = Field(
        default=None, description="Null distribution: 'normal', 'chi2(1)', 'F(1)', 'F(1, 3254)'"
    )


class Sample(Strict):
    """Which units enter: all conditions must hold."""

    arms: tuple[ArmText, ...] | None = Field(
        default=None, description="By how many policies: none, single, dual, triple, '4 policies'"
    )
    only: tuple[str, ...] | None = Field(
        default=None, description="Single units of these policies: 'P'; units of two: 'P+Q'"
    )
    sequences: tuple[OrderText, ...] | None = Field(
        default=None,
        description="Orders of adoption: 'first:POLICY', 'simultaneous' of two policies, "
        "'order:P>Q', 'order:P>Q=R' of more",
    )
    groups: dict[str, tuple[str, ...]] = Field(default={}, description="group column -> levels")
    first: PeriodText | None = Field(default=None, description="First period of the window")
    last: PeriodText | None = Field(default=None, description="Last period, as the panel writes it")
    without: tuple[UnitText, ...] = Field(default=(), description="Units left out, by key or label")
    switchers: bool = Field(
        default=False,
        description="Only units with rows both with and without the treatment in the window",
    )

    @property
    def has_chosen_rows(self) -> bool:
        """Whether it takes some periods or leaves out some units whatever their policies."""
        return bool(self.first or self.last or self.without or self.switchers)


class Column(Strict):
    """One column of a regression table: a spec, and what was published for it."""

    id: Identifier
    label: str = ""
    family: Identifier = Field(default="twfe", description="What is done with it: see the families")
    outcome: ColumnText
    treatments: tuple[TermText, ...] = ()
    covariates: tuple[str, ...] = Field(
        default=(), description="Terms, or '@name' for a covariate set of study.toml"
    )
    sample: Sample = Sample()
    unit_effects: EffectKind = "fixed"
    period_effects: EffectKind = "fixed"
    effects: tuple[EffectText, ...] = Field(
        default=(),
        description="Effects beside those of unit and period: 'region^year', 'state[year]', "
        "'state[year, year^2]', 'random(region^year)', any column",
    )
    row_weights: str | None = Field(default=None, description="Column with weights of the rows")
    row_weights_kind: RowWeightsKind = Field(
        default="analytic",
        description="analytic: the variance of a row is sigma^2 / weight; frequency: a row stands "
        "for so many that are alike",
    )
    cluster: str | None = Field(
        default=None, description="Column of clusters, coarser than units, for least squares beside"
    )
    outcome_lead: int = Field(default=0, description="Outcome this many periods later")
    same_sample_as: tuple[str, ...] = Field(
        default=(), description="Specs fitted on exactly these rows, for algebraic identities"
    )
    weights: str | None = Field(
        default=None, description="Spatial weights: an id under [[weights]], or a file"
    )
    row_normalised: bool | None = Field(
        default=None, description="Whether rows of the spatial weights sum to one, as printed"
    )
    instrument: TermText | None = Field(default=None, description="The instrument of a treatment")
    options: dict[str, Any] = Field(
        default={}, description="Options of the family, which validates them"
    )
    note: str = ""
    rows: Rows | None = Field(
        default=None,
        description="all: every unit of the sample in every period, so that n is units x periods; "
        "differ: rows of its own, compared with no other column; unknown (default)",
    )
    labels: dict[str, str] = Field(
        default={},
        description="What else the table says of the column, as it is printed: "
        "{ 'State trends' = 'Yes', Window = '1982-88', Weights = 'population' }",
    )
    clusters: int | None = Field(default=None, ge=2, description="Number of clusters of errors")
    in_parentheses: Below | None = Field(
        default=None, description="What 'parentheses' of its cells are (default se)"
    )
    interval_level: Level | None = Field(default=None, description="Of its intervals (0.95)")
    printed_as: PrintedAs | None = Field(
        default=None, description="ratio: odds, hazard or rate ratios; null value 1"
    )
    r2_kind: R2Kind | None = None
    se_kind: SeKind | None = None
    n: PrintedText | None = None
    r2: PrintedText | None = None
    coefficients: dict[TermText, Cell] = Field(default={})
    scalars: dict[str, Cell] = Field(default={}, description="rho, sigma2, …")
    impacts: dict[TermText, Impacts] = Field(default={})
    spatial_lags: dict[TermText, Cell] = Field(default={}, description="Coefficients of W x term")
    statistic: tuple[Statistic, ...] = ()


def factors_of(column: Column) -> tuple[str, ...]:
    """Columns whose values are levels of further effects or clusters."""
    found = [name for text in column.effects for name in parse_effect(text).factors]
    return tuple(dict.fromkeys([*found, *([column.cluster] if column.cluster else [])]))


class Moments(Strict):
    """A row of a table of descriptive statistics."""

    column: str
    mean: PrintedText
    sd: PrintedText | None = None
    min: PrintedText | None = None
    max: PrintedText | None = None
    n: PrintedText | None = Field(
        default=None, description="Rows that this row is of, where it is not the table's n"
    )
    step: PrintedText | None = Field(
        default=None, description="Values are whole multiples of it: 1 of counts, 0.01 of hundreds"
    )


class NamedNumber(Strict):
    """A number that a figure or its text states."""

    name: Identifier
    value: PrintedText
    label: str = ""


class TableFile(Strict):
    """One published table or figure: ``tableN.toml`` or ``figureN.toml``."""

    id: Identifier
    title: str
    kind: Literal["regression", "descriptive", "figure"]
    place: str = Field(default="", description="Where it stands in the publication")
    note: str = Field(default="", description="How it was read, e.g. recovered alignment")
    n: PrintedText | None = Field(default=None, description="Rows described, if descriptive")
    se_kind: SeKind = "unknown"
    rows: Rows = Field(default="unknown", description="Of columns that do not say")
    labels: dict[str, str] = Field(default={}, description="Of every column")
    clusters: int | None = Field(default=None, ge=2, description="Of columns that do not say")
    in_parentheses: Below = Field(default="se", description="Of columns that do not say")
    interval_level: Level = Field(default=0.95, description="Of columns that do not say")
    printed_as: PrintedAs = Field(default="coefficient", description="Of columns that do not say")
    r2_kind: R2Kind = Field(default="unknown", description="Of columns that do not say")
    stars: dict[MarkText, Level] | None = Field(
        default=None, description="The table's own legend; {} prints none (default: the study's)"
    )
    column: tuple[Column, ...] = ()
    moments: tuple[Moments, ...] = ()
    number: tuple[NamedNumber, ...] = ()
