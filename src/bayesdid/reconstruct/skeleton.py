"""What of a panel is given before its outcome: units, periods, adoption, groups, other policies.

What a study states is exact; what it leaves open (who adopted when, which unit is in which group)
is drawn anew for each member. A study whose own panel is real keeps everything but the outcome.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.panel.simulate import simulate_frame
from bayesdid.published.timing import Timing, timings
from bayesdid.reconstruct.agreeing import agreeing
from bayesdid.reconstruct.dealing import dealt_to_agree
from bayesdid.reconstruct.logs import inside_log
from bayesdid.reconstruct.places import settle
from bayesdid.study.derived import source_column
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Simulation
from bayesdid.study.terms import parse_term


def drawn_skeleton(study: Study, seed: int, hold_out: Sequence[str] = ()) -> pd.DataFrame:
    """Units x periods with adoption, groups and concurrent policies; no outcome, no covariate.

    Adoption is drawn from what the study publishes about it: arms, sequences, rounds, and the
    mean of the state both; columns of policies alone decide what those leave open, but for tables
    and columns that are held out.
    """
    section = study.file.panel
    if section.units is None or section.first_period is None or section.last_period is None:
        raise InputError(
            "a panel is reconstructed from its units and periods",
            file=study.path / "study.toml",
            column="panel",
            remedy="set units, first_period and last_period under [panel]",
        )
    adoption: dict[str, dict[str, int]] = {}
    if study.policies:
        share = share_of_both(study, hold_out)
        drawn = timings(study, size=2, seed=seed, share=share).members[-1]
        rng = np.random.default_rng([seed, 0xA6])
        adoption = _counts(agreeing(study, drawn, hold_out, rng, share))
    given = section.simulate
    settings = Simulation(
        seed=seed,
        truth={},
        sigma=1.0,
        sigma_unit=0.0,
        sigma_period=0.0,
        adoption=adoption,
        groups=given.groups if given is not None else _groups(study),
        policies=given.policies if given is not None else _others(study, seed),
        places=given.places if given is not None else None,
    )
    file = study.file.model_copy(
        update={"panel": section.model_copy(update={"simulate": settings, "path": None})}
    )
    frame = simulate_frame(dataclasses.replace(study, file=file), seed=seed)
    outcome = study.file.outcome.column
    if (source := inside_log(outcome)) is not None:
        frame = frame.rename(columns={outcome: source}).assign(**{source: 1.0})
    frame = frame[[name for name in frame if len(parse_term(str(name)).factors) == 1]]
    rng = np.random.default_rng([seed, 0xC17])
    frame = settle(frame, study, rng)
    starts = frame[[str(policy.adoption) for policy in study.policies if policy.adoption]]
    others = list(settings.policies)
    frame = favoured(frame, section.unit, others, starts.notna().sum(axis=1), rng)
    return dealt_to_agree(study, frame, others, hold_out, rng)


def favoured(
    frame: pd.DataFrame,
    unit: str,
    others: Sequence[str],
    pilots: pd.Series,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The frame with concurrent policies, the columns `others`, dealt to its units anew.

    Who has the study's policies may have others too: the log odds of each rise by a normal number
    of standard deviation 1 with each of the study's policies that a unit ever adopts.

    Parameters
    ----------
    pilots
        How many of these the unit of each row ever adopts.
    """
    found = frame.copy()
    N = frame[unit].nunique()
    ever = pilots.to_numpy(dtype=float).reshape(N, -1)[:, 0]
    for name in others:
        cells = frame[name].to_numpy().reshape(N, -1)
        score = rng.normal() * ever + rng.gumbel(size=N)
        with_it = rng.permutation(np.flatnonzero(cells.any(axis=1)))
        dealt = np.zeros_like(cells)
        dealt[np.argsort(-score)[: len(with_it)]] = cells[with_it]
        found[name] = dealt.ravel()
    return found


def _counts(timing: Timing) -> dict[str, dict[str, int]]:
    """Adoption as ``[panel.simulate.adoption]`` writes it."""
    found: dict[str, Counter[str]] = {}
    for row in timing.start:
        on = np.isfinite(row)
        if on.any():
            of = [p for p, has in zip(timing.policies, on, strict=True) if has]
            key = "both" if len(of) == len(timing.policies) == 2 else "+".join(of)
            when = ",".join(f"{start:.0f}" for start in row[on])
            found.setdefault(key, Counter())[when] += 1
    return {key: dict(sorted(count.items())) for key, count in found.items()}


def _groups(study: Study) -> dict[str, dict[str, int]]:
    """Units of each level, from the n of columns fitted on it; what is left goes evenly."""
    section = study.file.panel
    units = int(section.units or 0)
    length = int(section.last_period or 0) - int(section.first_period or 0) + 1
    found: dict[str, dict[str, int]] = {}
    for group in study.file.group:
        counts: dict[str, int] = {}
        for spec in study.specs.values():
            sample = spec.column.sample
            levels = sample.groups.get(group.column, ())
            alone = len(sample.groups) == 1 and sample.arms is None and sample.only is None
            if len(levels) == 1 and alone and spec.column.n is not None:
                counts[levels[0]] = round(float(Printed.parse(spec.column.n)) / length)
        rest = [level for level in group.levels if level not in counts]
        left = units - sum(counts.values())
        for k, level in enumerate(rest):
            counts[level] = left // len(rest) + (k < left % len(rest))
        if sum(counts.values()) != units or min(counts.values()) < 0:
            continue  # the columns' n do not say how many units a level has
        found[group.column] = {level: counts[level] for level in group.levels}
    return found


def _others(study: Study, seed: int) -> dict[str, dict[str, int]]:
    """0/1 columns of Table 1 that are no state of the policies: staggered, with the printed mean.

    A column with minimum 0, maximum 1 and the standard deviation of a share is 0/1.
    """
    section = study.file.panel
    first, last = int(section.first_period or 0), int(section.last_period or 0)
    periods, units = last - first + 1, int(section.units or 0)
    rng = np.random.default_rng([seed, 0xB1])
    found: dict[str, dict[str, int]] = {}
    for name, share in binary_columns(study).items():
        starts: Counter[str] = Counter()
        wanted = round(share * units * periods)
        free = units
        while wanted > 0 and free:
            begin = int(rng.integers(first, last + 1))
            begin = max(begin, last + 1 - wanted)
            starts[str(begin)] += 1
            wanted -= last + 1 - begin
            free -= 1
        found[name] = dict(sorted(starts.items()))
    return found


def share_of_both(study: Study, hold_out: Sequence[str] = ()) -> tuple[float, float] | None:
    """Means of the state both that round to what is printed of it, its standard deviation included.

    Of a 0/1 column of n rows the variance is m (1 - m) n / (n - 1): at three digits the standard
    deviation tells its mean m better than the mean itself. None where nothing is printed; a
    standard deviation that no number of rows gives beside the mean is not counted.
    """
    section, text = study.file.panel, study.file.design.timing.both_share
    if text is None:
        return None
    low, high = Printed.parse(text).interval
    n = int(section.units or 0) * (
        int(section.last_period or 0) - int(section.first_period or 0) + 1
    )
    for table in study.tables.values():
        for row in table.moments:
            if row.column != "both" or row.sd is None or table.id in hold_out or n < 2:
                continue
            ends = np.clip(Printed.parse(row.sd).interval, 0.0, None)
            means = 0.5 - np.sqrt(np.maximum(0.25 - ends**2 * (n - 1) / n, 0.0))
            least, most = max(low, float(means[0])), min(high, float(means[1]))
            if high < 0.5 and np.ceil(least * n) <= np.floor(most * n):  # some rows give it
                low, high = least, most
    return low, high


def drawn_treatments(study: Study, specs: Mapping[str, Spec]) -> dict[str, str]:
    """Treatments of these columns that are columns of the panel, and what each is drawn as.

    The tables say what such a treatment does and not when it is on. One whose printed range is not
    0 to 1 and one that is made from another (a logarithm) are known to be numbers. And covariates
    that can only be 0/1.
    """
    zero_one = binary_columns(study)
    ranges = {row.column for t in study.tables.values() for row in t.moments if row.max is not None}
    found = {}
    for name in _columns_in(text for spec in specs.values() for text in spec.column.treatments):
        if name in zero_one:
            found[name] = "0 or 1 by its printed moments, drawn as a treatment that stays on"
        elif source_column(name) == name and name not in ranges:
            found[name] = (
                "drawn as a column of numbers; if it is 0 or 1, give its mean, sd, min and max in "
                "a table of kind descriptive, or declare it as a [[policy]]"
            )
    for name in _columns_in(text for spec in specs.values() for text in spec.column.covariates):
        if name in zero_one and name not in found:
            found[name] = "0 or 1 by its printed moments, drawn as a state that stays on"
    return found


def _columns_in(terms: Iterable[str]) -> list[str]:
    """Columns of the panel that are named, once each."""
    factors = [factor for text in terms for factor in parse_term(text).factors]
    return list(dict.fromkeys(f.name for f in factors if f.kind == "column"))


def binary_columns(study: Study) -> dict[str, float]:
    """Columns of descriptive tables that can only be 0/1, and their means."""
    found: dict[str, float] = {}
    for table in study.tables.values():
        for row in table.moments:
            if row.sd is None or row.min is None or row.max is None:
                continue
            mean, sd = float(Printed.parse(row.mean)), float(Printed.parse(row.sd))
            low, high = float(Printed.parse(row.min)), float(Printed.parse(row.max))
            alike = abs(sd - np.sqrt(max(mean * (1 - mean), 0.0))) < 0.01
            if low == 0 and high == 1 and alike and not parse_term(row.column).is_treatment:
                found[row.column] = mean
    return found
