"""Pool one contrast over studies: models side by side, a study to come, selection, and words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from bayesdid.estimands.verdict import word_for
from bayesdid.exceptions import InputError, Note
from bayesdid.pool.asked import NAMES
from bayesdid.pool.effect import StudyEffect
from bayesdid.pool.effects import study_effects
from bayesdid.pool.normal import pool_normal
from bayesdid.pool.selection import ETAS, pool_selected
from bayesdid.pool.taking import From
from bayesdid.pool.units import Scale
from bayesdid.study.load import Study, read_study
from bayesdid.summary import Summary, summarise

_OF_UNITS = {  # what else makes effects comparable
    "none": "divide effects by spreads (--scale sd)",
    "sd": "add the outcome's sd to a descriptive table; where units are one, write them alike",
    "mean": "add the outcome's mean to a descriptive table; where units are one, write them alike",
}
MAIN, PRINTED = "main", "standard errors as printed"


@dataclass(frozen=True, slots=True)
class PoolResult:
    """A pool of studies.

    Attributes
    ----------
    effects
        What each study gives.
    average
        Model -> average effect of studies without a doubt. ``main`` has the audit's doubts as a
        covariate and standard errors that suppose independence inflated; each other changes one
        thing of it, or publishes what is not significant less often.
    spread
        Standard deviation between studies, in the main model.
    new
        Effect in a study to come.
    shrunk
        Study -> its effect given all of them.
    shift
        What a doubt adds; None if no study, or every study, is doubted.
    publication
        Chance of publication of a result that is not significant, from the studies alone.
    word, p, p_low, p_high
        Verdict on the sign that the main model finds, and the range of its probability over models.
    measured
        What effects are in units of.
    notes
        What was chosen and assumed, and who is left out.
    asked
        What the effects are of, in words; empty where each study has a cell of its own.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "effects",
        "average",
        "spread",
        "new",
        "shrunk",
        "shift",
        "publication",
        "word",
        "sign",
        "p",
        "p_low",
        "p_high",
        "measured",
        "text",
        "notes",
        "asked",
    )

    effects: tuple[StudyEffect, ...]
    average: dict[str, Summary]
    spread: Summary
    new: Summary
    shrunk: dict[str, Summary]
    shift: Summary | None
    publication: Summary
    word: str
    sign: Literal["negative", "positive"]
    p: float
    p_low: float
    p_high: float
    measured: str
    notes: tuple[Note, ...]
    asked: str = ""

    @property
    def text(self) -> str:
        """The answer in words."""
        main, new = self.average[MAIN], self.new
        p_new = new.p_negative if self.sign == "negative" else 1 - new.p_negative
        return (
            f"Over {len(self.effects)} studies the average effect is {main.mean:.3g} "
            f"({main.interval:.3g}). That it is {self.sign} is {self.word}: "
            f"P = {self.p:.2f}, {self.p_low:.2f} to {self.p_high:.2f} over the models. Effects of "
            f"studies differ by a standard deviation of {self.spread.median:.2g}; in a study to "
            f"come the effect is {self.sign} with probability {p_new:.2f} ({new.interval:.3g})."
        )


def pool_studies(
    studies: Sequence[Study | str | Path],
    *,
    cells: Mapping[str, str] | None = None,
    contrast: str | None = None,
    scale: Scale = "auto",
    better: bool | None = None,
    source: From = "auto",
    unit: float | None = None,
    spread: float = 0.5,
    draws: int = 500,
    seed: int = 0,
    done: Callable[[str], object] = lambda _: None,
) -> PoolResult:
    """Hierarchical meta-analysis of one contrast over study folders.

    Parameters
    ----------
    studies
        Studies or their folders; two or more with ids of their own.
    cells, contrast, scale, better, source, draws, done
        Which effect, from where: see :func:`~bayesdid.pool.effects.study_effects`.
    unit
        A large effect, by which priors are scaled; default 1 if effects are divided by sd or mean,
        else the median of |estimate| + standard error.
    spread
        Scale of the prior of the standard deviation between studies, in units.

    Raises
    ------
    InputError
        If fewer than two studies have such an effect, or a cell that is named is none.
    """
    known = [s if isinstance(s, Study) else read_study(s) for s in studies]
    ids = [study.id for study in known]
    if len(known) < 2 or len(set(ids)) < len(ids):
        raise InputError(
            "a pool needs two studies or more, with ids of their own",
            value=", ".join(ids),
            remedy="name the folders of different studies",
        )
    gathered = study_effects(
        known,
        cells or {},
        contrast,
        scale,
        better=better,
        source=source,
        draws=draws,
        seed=seed,
        done=done,
    )
    left = [
        Note("left-out", 1, f"{study} is not pooled: {why}")
        for study, why in gathered.left_out.items()
    ]
    if len(gathered.effects) < 2:
        of = f" ({gathered.asked})" if gathered.asked else ""
        raise InputError(
            f"fewer than two studies have an effect that can be pooled{of}",
            value="; ".join(f"{study}: {why}" for study, why in gathered.left_out.items()),
            remedy="name a cell of each (--cell STUDY=TABLE.COLUMN:TERM) or another effect "
            f"(--contrast {', '.join(NAMES)}), or {_OF_UNITS[gathered.scale]}",
        )
    measured = {"none": gathered.unit, "sd": "sds of each outcome"}
    said = measured.get(gathered.scale, "means of each outcome")
    result = pool_effects(
        gathered.effects,
        measured=f"{said}, positive is better" if gathered.better else said,
        scaled=gathered.scale != "none",
        unit=unit,
        spread=spread,
        seed=seed,
    )
    notes = (*gathered.notes, *left, *result.notes)
    return replace(result, notes=notes, asked=gathered.asked)


def pool_effects(
    effects: Sequence[StudyEffect],
    *,
    measured: str = "",
    scaled: bool = False,
    unit: float | None = None,
    spread: float = 0.5,
    seed: int = 0,
) -> PoolResult:
    """The pool of effects that are known already; see :func:`pool_studies`."""
    y = np.array([effect.estimate for effect in effects])
    s = np.array([effect.se for effect in effects])
    size = unit or (1.0 if scaled else float(np.median(np.abs(y) + s)))
    doubted = np.array([float(bool(effect.doubts)) for effect in effects])
    doubt = doubted if 0 < doubted.sum() < len(y) else None
    iid = np.array([float(effect.independent) for effect in effects])
    rng = np.random.default_rng(seed)
    main = pool_normal(y, s, unit=size, spread=spread, doubt=doubt, independent=iid, rng=rng)
    average = {MAIN: summarise(main.mu)}
    if iid.any():
        other = pool_normal(y, s, unit=size, spread=spread, doubt=doubt, rng=rng)
        average[PRINTED] = summarise(other.mu)
    if doubt is not None:
        other = pool_normal(y, s, unit=size, spread=spread, independent=iid, rng=rng)
        average["doubts left out of account"] = summarise(other.mu)
        if (doubt == 0).sum() > 1:
            keep = doubt == 0
            other = pool_normal(
                y[keep], s[keep], unit=size, spread=spread, independent=iid[keep], rng=rng
            )
            average["without doubted studies"] = summarise(other.mu)
    for factor, words in ((0.5, "half"), (2.0, "twice")):
        other = pool_normal(
            y, s, unit=size, spread=factor * spread, doubt=doubt, independent=iid, rng=rng
        )
        average[f"prior of the spread {words} as wide"] = summarise(other.mu)
    significant = np.array([float(effect.p < 0.05) for effect in effects])
    for eta in ETAS[1:]:
        mu, _ = pool_selected(y, s, significant, eta, unit=size, spread=spread, rng=rng)
        average[f"not significant: published with probability {eta:g}"] = summarise(mu)
    mu, chance = pool_selected(y, s, significant, None, unit=size, spread=spread, rng=rng)
    average["not significant: published with unknown probability"] = summarise(mu)
    negative = average[MAIN].p_negative >= 0.5
    probabilities = [a.p_negative if negative else 1 - a.p_negative for a in average.values()]
    p, low, high = probabilities[0], min(probabilities), max(probabilities)
    return PoolResult(
        tuple(effects),
        average,
        summarise(main.tau),
        summarise(main.new),
        {e.study: summarise(main.theta[:, i]) for i, e in enumerate(effects)},
        None if main.shift is None else summarise(main.shift),
        summarise(chance),
        word_for(p, low, high),
        "negative" if negative else "positive",
        p,
        low,
        high,
        measured,
        tuple(_notes(effects, size, doubt is None and bool(doubted.sum()))),
    )


def _notes(effects: Sequence[StudyEffect], unit: float, all_doubted: bool) -> list[Note]:
    notes = [
        Note("unit", 1, f"priors are scaled by an effect of {unit:.3g}"),
        Note(
            "apart",
            len(effects),
            "studies are taken to be independent: studies of the same units and years are not, and "
            "count for too much",
        ),
    ]
    if iid := [effect.study for effect in effects if effect.independent]:
        text = f"standard errors that suppose independent errors are inflated: {', '.join(iid)}"
        notes.append(Note("inflated", len(iid), text))
    if all_doubted:
        notes.append(
            Note("doubted", len(effects), "every study is doubted: no shift is told apart")
        )
    if len(effects) < 5:
        notes.append(
            Note("few", len(effects), "fewer than five studies: the spread is mostly its prior")
        )
    return notes
