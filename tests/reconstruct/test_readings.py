"""Contradictory cells are found, named, and read so that they agree."""

import pytest

from bayesdid.families.registry.load import load_study
from bayesdid.reconstruct.compile import held_columns
from bayesdid.reconstruct.member import conflicts_of
from bayesdid.reconstruct.readings import mended
from bayesdid.reconstruct.targets import printed_targets


@pytest.fixture(scope="module")
def study(models):
    return load_study(models / "dual_pilot")


def test_the_conflicts_of_the_shipped_study(study):
    found = conflicts_of(study)
    signs = [c for c in found if c.change == "sign"]
    assert {c.changed for c in signs} == {"table6.2:TI", "table6.4:IU"}
    assert all(len(c.cells) == 4 and c.miss > 0 for c in signs)
    assert [c.changed for c in found if c.change == "pooled"] == ["table2.1"]
    assert "fails by 0.075; with the sign of table6.2:TI changed" in signs[0].text


def test_a_conflicting_set_is_irreducible(study):
    """Without any one of its cells the others hold: the relation gives the one left out."""
    for conflict in conflicts_of(study):
        if conflict.change != "sign":
            continue
        short, beside, effect, path = (float(study.cell(ref).value.value) for ref in conflict.cells)
        assert short != pytest.approx(beside + effect * path, abs=0.01)
        for left_out in range(4):
            values = [short, beside, effect, path]
            values[left_out] = [
                beside + effect * path,
                short - effect * path,
                (short - beside) / path,
                (short - beside) / effect,
            ][left_out]
            assert values[0] == pytest.approx(values[1] + values[2] * values[3])


def test_the_mended_reading_changes_signs_and_nothing_else(study):
    held, left = held_columns(study)
    targets = printed_targets(study, {*held, *study.tables})
    read, pooled = mended(targets, conflicts_of(study))
    changed = {a.cell for a, b in zip(targets, read, strict=True) if a != b}
    assert changed == {"table6.2:TI", "table6.4:IU"}
    flipped = next(t for t in read if t.cell == "table6.2:TI")
    assert (flipped.low, flipped.high) == pytest.approx((0.1525, 0.1535))
    assert pooled == {"table2.1"}
    assert not left
