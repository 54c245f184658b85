"""The headline over an ensemble: what is sampling, and what the tables do not say.

Each member is a panel that could be the study's. Its posterior has a variance; posteriors of
different members differ. As with multiple imputation (Rubin 1987, doi:10.1002/9780470316696,
ch. 3), the total variance is W + (1 + 1/M) B: the mean variance within members, and the variance
between their means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np

from bayesdid.digest import file_digest
from bayesdid.estimands.beside import ModelSays
from bayesdid.estimands.names import RATIO, main_contrast
from bayesdid.estimands.synergy import Synergy, synergy
from bayesdid.exceptions import InputError, ResultError
from bayesdid.inference.executor import item_seed, map_fits
from bayesdid.model.errors import DEFAULT_ERRORS, Errors
from bayesdid.panel.panel import Panel
from bayesdid.panel.read import read_panel
from bayesdid.reconstruct.choices import CHOICES, Choice, choice, choice_sentence, other_models
from bayesdid.reconstruct.ensemble import MANIFEST
from bayesdid.study.load import Study
from bayesdid.summary import chance


@dataclass(frozen=True, slots=True)
class Combined:
    """One model's answer to one contrast, over the members.

    Attributes
    ----------
    mean, sd
        Of the mixture of the members' posteriors, the sd with Rubin's factor 1 + 1/M.
    within, between
        Standard deviations: root mean variance of a member, and of the members' means.
    share_sampling, share_open
        Of the total variance: what a single panel leaves, and what the tables do not say.
    p_claim
        Probability of the claim's direction: mean over members.
    p_range
        Its least and largest over members.
    members
        Mean of each member.
    """

    mean: float
    sd: float
    within: float
    between: float
    share_sampling: float
    share_open: float
    p_claim: float
    p_range: tuple[float, float]
    members: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CombinedContrast:
    """A contrast under the headline model and under those beside it.

    Attributes
    ----------
    name, label
        Which.
    models
        Model -> its answer.
    choices
        Pairs of models that differ in one thing.
    """

    name: str
    label: str
    models: dict[str, Combined]
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class EnsembleSynergy:
    """Contrasts over an ensemble.

    Attributes
    ----------
    study_id, synthetic
        The study, and the stamp of the members.
    size
        Members whose fits converged: the others say nothing.
    contrasts
        Name -> contrast; those that every one of these identifies.
    left_out
        Member -> why its fit is no result.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "study_id",
        "synthetic",
        "size",
        "contrasts",
        "left_out",
        "sentences",
    )

    study_id: str
    synthetic: str
    size: int
    contrasts: dict[str, CombinedContrast]
    left_out: dict[str, str]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The finding of each contrast, in words; of the main one, each choice of models too."""
        found = [_sentence(contrast, self.size) for contrast in self.contrasts.values()]
        if self.left_out:
            found.append(
                f"{len(self.left_out)} of {self.size + len(self.left_out)} members are not among "
                "these panels, for their fits are no results: "
                + "; ".join(f"{name}: {why}" for name, why in self.left_out.items())
            )
        if (name := main_contrast(self.contrasts)) in self.contrasts:
            main = self.contrasts[name]
            found += [
                choice_sentence(main.label, one, self.size, self._shares(main, one))
                for one in main.choices
            ]
        return tuple(found)

    @staticmethod
    def _shares(contrast: CombinedContrast, of: Choice) -> dict[str, tuple[float, float]]:
        models = ((model, contrast.models[model]) for model in (of.first, of.second))
        return {model: (one.share_sampling, one.share_open) for model, one in models}


def combined(says: list[ModelSays]) -> Combined:
    """Rubin's rules over members.

    Raises
    ------
    InputError
        If there are fewer than two.
    """
    M = len(says)
    if M < 2:
        raise InputError(
            "what the tables do not say shows between members, and there is one",
            remedy="reconstruct with --members 2 or more",
        )
    means = np.array([one.mean for one in says])
    within = float(np.mean([one.sd**2 for one in says]))
    between = float(means.var(ddof=1))
    total = within + (1 + 1 / M) * between
    p = [one.p_claim for one in says]
    return Combined(
        float(means.mean()),
        float(np.sqrt(total)),
        float(np.sqrt(within)),
        float(np.sqrt(between)),
        within / total,
        1 - within / total,
        float(np.mean(p)),
        (min(p), max(p)),
        tuple(means.tolist()),
    )


def ensemble_synergy(
    study: Study,
    folder: Path,
    *,
    spec: str | None = None,
    errors: Errors | str = DEFAULT_ERRORS,
    draws: int = 500,
    seed: int = 0,
    done: Callable[[object], object] = lambda _: None,
) -> EnsembleSynergy:
    """Fit the headline to every member and combine the posteriors.

    Parameters
    ----------
    done
        Called with each member that was fitted.

    Raises
    ------
    ResultError
        If the fits of fewer than two members converge.
    """
    panels = read_members(study, folder)
    answers = map_fits(
        partial(_fit, study=study, spec=spec, errors=errors, draws=draws, seed=seed),
        list(enumerate(panels)),
        done=done,
    )
    left = {f"member {k}": said for k, said in enumerate(answers) if isinstance(said, str)}
    fitted = [answer for answer in answers if not isinstance(answer, str)]
    if left and len(fitted) < 2:
        raise ResultError(
            f"the fits of {len(fitted)} of {len(answers)} members converged, and two are needed: "
            + next(iter(left.values()))
        )
    names = [
        name
        for name in fitted[0]
        if all(name in one for one in fitted) and name != RATIO  # its posterior has no variance
    ]
    contrasts = {}
    for name in names:
        label, first = fitted[0][name]
        shared = [m for m in first if all(m in one[name][1] for one in fitted)]
        says = {m: [one[name][1][m] for one in fitted] for m in shared}
        contrasts[name] = CombinedContrast(
            name,
            label,
            {m: combined(found) for m, found in says.items()},
            tuple(
                choice(what, first, second, says[first], says[second])
                for what, first, second in CHOICES
                if first in says and second in says
            ),
        )
    stamp = re.sub(r"\bmember \d+", f"{len(panels)} members", str(panels[0].synthetic))
    return EnsembleSynergy(study.id, stamp, len(fitted), contrasts, left)


def read_members(study: Study, folder: Path) -> list[Panel]:
    """The panels that a manifest lists, each checked against its digest.

    Raises
    ------
    InputError
        If there is no manifest, it is of another study, or a file is not as it was written.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise InputError(
            "not a folder of reference panels: it holds no manifest.json",
            file=folder,
            remedy="make one with bayesdid reconstruct STUDY -o FOLDER",
        )
    try:
        listed = json.loads(manifest.read_text(encoding="utf-8"))
        of, files = listed["study"], [(m["file"], m["sha256"]) for m in listed["members"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "the manifest is damaged", file=manifest, remedy="make the ensemble again"
        ) from error
    if of != study.id:
        raise InputError(
            "the reference panels are of another study",
            file=manifest,
            value=of,
            remedy=f"name a folder that was made from {study.id}",
        )
    panels = []
    for name, digest in files:
        path = folder / Path(str(name)).name
        if file_digest(path) != digest:
            raise InputError(
                "a member is missing or not as it was written",
                file=path,
                remedy="make the ensemble again",
            )
        panels.append(read_panel(path, study))
    return panels


def _fit(
    item: tuple[int, Panel],
    *,
    study: Study,
    spec: str | None,
    errors: Errors | str,
    draws: int,
    seed: int,
) -> dict[str, tuple[str, Mapping[str, ModelSays]]] | str:
    """Label and models of each contrast of a member; why not, where its fit did not converge."""
    index, panel = item
    seed = item_seed(seed, "member", index)
    try:
        found: Synergy = synergy(study, panel, spec=spec, errors=errors, draws=draws, seed=seed)
    except ResultError as error:
        return str(error)
    more = other_models(study, panel, spec=spec, errors=errors, draws=draws, seed=seed)
    return {
        name: (contrast.label, {**contrast.models, **more.get(name, {})})
        for name, contrast in found.items()
    }


def _sentence(contrast: CombinedContrast, size: int) -> str:
    model, main = next(iter(contrast.models.items()))
    return (
        f"{contrast.label} ({model}): {main.mean:.3f} (sd {main.sd:.3f}); of the variance "
        f"{main.share_sampling:.0%} is what one panel leaves and {main.share_open:.0%} is what the "
        f"tables do not say, over {size} synthetic panels; P(claim) {chance(main.p_claim)}, by "
        f"panel {chance(main.p_range[0])} to {chance(main.p_range[1])}"
    )
