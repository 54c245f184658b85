"""What printed cells say of a contrast, in words: the answer, what decides it, what it is not."""

from __future__ import annotations

from bayesdid.estimands.names import main_contrast
from bayesdid.published.contrasts import MAIN, PublishedContrast
from bayesdid.published.synergy import KINDS, PublishedSynergy

MISSED = 0.01  # a coefficient less probable than this given the others was not predicted
_DECIDES = 0.1  # a difference between probabilities that is worth saying


def headline(synergy: PublishedSynergy) -> PublishedContrast:
    """The contrast with the sum of singles, or the first."""
    return synergy.contrasts[main_contrast(synergy.contrasts)]


def published_sentences(synergy: PublishedSynergy, contrast: PublishedContrast) -> list[str]:
    """What decides, what the columns say of it, what the paper compares, whether it predicts."""
    said = (
        what_decides(contrast),
        path_evidence(synergy),
        naive_sentence(contrast),
        held_out_sentence(synergy),
    )
    return [sentence for sentence in said if sentence]


def what_decides(contrast: PublishedContrast) -> str:
    """Which assumption moves the probability of a claim most, with its values."""
    by_path = {
        label: [p for name, p in contrast.p_claim.items() if name.startswith(f"{label}, ")]
        for label in KINDS.values()
    }
    phis = sorted({name.partition(", ")[2] for name in contrast.p_claim if name != MAIN})
    by_phi = {
        phi: [p for name, p in contrast.p_claim.items() if name.endswith(f", {phi}")]
        for phi in phis
    }
    paths = {label: sum(p) / len(p) for label, p in by_path.items()}
    errors = {phi: sum(p) / len(p) for phi, p in by_phi.items()}
    spread = {
        "path": max(paths.values()) - min(paths.values()),
        "phi": max(errors.values()) - min(errors.values()),
    }
    if max(spread.values()) < _DECIDES:
        return "No assumption that was varied decides it."
    if spread["path"] >= spread["phi"]:
        said = ", ".join(f"{p:.3f} if {label}" for label, p in paths.items())
        return (
            "What decides is how the effect of each policy alone develops after adoption, which "
            f"no column states: the probability is {said}."
        )
    said = ", ".join(f"{p:.3f} at {phi.removeprefix('phi ')}" for phi, p in errors.items())
    return (
        "What decides is the autocorrelation behind the printed standard errors: the probability "
        f"is {said}."
    )


def path_evidence(synergy: PublishedSynergy) -> str:
    """What the columns together say of the path of the single effects."""
    weights = synergy.path_weights
    best = max(weights, key=lambda label: weights[label])
    said = ", ".join(f"{label} {weight:.2f}" for label, weight in weights.items())
    even = 1 / len(weights)
    if weights[best] < 2 * even:
        tail = "they do not single one out"
    else:
        tail = f"they fit {best} effects best"
    return f"The {len(synergy.columns.names)} coefficients together give the paths {said}: {tail}."


def naive_sentence(contrast: PublishedContrast) -> str:
    """The paper's own comparison, and how far it is from the contrast; empty if there is none."""
    if contrast.naive != contrast.naive:
        return ""
    bias = contrast.naive - contrast.main.mean
    if len(contrast.cells) == 1:
        return (
            f"What the paper reads it from: {contrast.cells[0]} prints {contrast.naive:+.3f} (SE "
            f"{contrast.naive_se:.3f}), {abs(bias):.3f} {'above' if bias > 0 else 'below'} what "
            "all columns give together."
        )
    return (
        f"What the paper's comparison does: subtracting the printed cells gives "
        f"{contrast.naive:+.3f} (SE {contrast.naive_se:.3f}), {abs(bias):.3f} "
        f"{'above' if bias > 0 else 'below'} the contrast, since units under both are compared "
        "with their own years under one policy."
    )


def held_out_sentence(synergy: PublishedSynergy) -> str:
    """Whether the model predicts each printed coefficient from the others."""
    if not synergy.held_out:
        return "With one coefficient nothing is left to check the model with."
    missed = [item for item in synergy.held_out if item.p < MISSED]
    if not missed:
        return (
            f"Each of the {len(synergy.held_out)} coefficients is predicted by the others: none "
            f"has a tail probability below {MISSED:g}."
        )
    named = "; ".join(
        f"{item.name} prints {item.printed:.3f}, the others predict {item.mean:.3f} ({item.sd:.3f})"
        for item in missed
    )
    return (
        f"{len(missed)} of {len(synergy.held_out)} coefficients are not predicted by the others, "
        f"so that one model of all columns does not describe them: {named}."
    )
