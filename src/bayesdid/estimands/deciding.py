"""What decides an answer beside the data, in words."""

from __future__ import annotations

from collections.abc import Mapping

from bayesdid.estimands.beside import CELLS, CELLS_CLUSTERED, DIFFERING, HEADLINE, ModelSays
from bayesdid.estimands.verdict import SURE
from bayesdid.summary import chance

_APART = 0.5  # posterior sds between pooled and unpooled from which on the prior decides
_WIDER = 1.05  # intervals from which on differences between units are said


def deciding(models: Mapping[str, ModelSays]) -> str:
    """Where effects that differ between units, pooling, or what is assumed of errors decides."""
    main, cells, plain = models[HEADLINE], models.get(CELLS), models.get(CELLS_CLUSTERED)
    said = [_between_units(main, models.get(DIFFERING))]
    if cells is None or plain is None:
        return said[0]
    gap = abs(main.mean - cells.mean) / main.sd
    if gap > _APART or _side(main) != _side(cells):
        said.append(
            f"Pooling matters: without it, under the same errors, the estimate is "
            f"{cells.mean:+.3f} ({cells.sd:.3f}), {gap:.1f} posterior sds away, with probability "
            f"{chance(cells.p_claim)} of the claim in the place of {chance(main.p_claim)}."
        )
    if abs(plain.mean - cells.mean) > plain.sd:
        said.append(
            f"The errors matter: the same cells by least squares are {plain.mean:+.3f} "
            f"({plain.sd:.3f}, clustered), under the first model's errors {cells.mean:+.3f} "
            f"({cells.sd:.3f}). Both estimate the same if trends are parallel."
        )
    return " ".join(text for text in said if text)


def _between_units(main: ModelSays, wider: ModelSays | None) -> str:
    if wider is None or (wider.sd < _WIDER * main.sd and _side(wider) == _side(main)):
        return ""
    return (
        "Effects differ between units: with that in the model, which the word follows, the sd is "
        f"{wider.sd:.3f} in the place of {main.sd:.3f}, so that the interval is about "
        f"{100 * (wider.sd / main.sd - 1):.0f} % wider, and the probability of the claim "
        f"{chance(wider.p_claim)} in the place of {chance(main.p_claim)}."
    )


def _side(says: ModelSays) -> tuple[bool, bool]:
    """Whether the claim is established, and whether its opposite is."""
    return says.p_claim >= SURE, says.p_claim <= 1 - SURE
