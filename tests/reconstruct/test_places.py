"""Units of a drawn design stand at real places, whose known adoptions are kept."""

import numpy as np
import pandas as pd
import pytest

from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.registry.load import load_study
from bayesdid.reconstruct.places import Fact, _assigned, _sample, known_adoptions
from bayesdid.reconstruct.skeleton import drawn_skeleton, favoured


@pytest.fixture(scope="module")
def study(models):
    return load_study(models / "dual_pilot")


@pytest.fixture(scope="module")
def frame(study):
    return drawn_skeleton(study, 6)


def test_groups_have_the_printed_sizes_and_are_those_of_the_places(study, frame):
    places = pd.read_csv(study.path / "china_prefectures.csv").set_index("city")
    units = frame.groupby("city").first()
    assert len(units) == 218
    assert units["region"].value_counts().to_dict() == {"east": 79, "central": 79, "west": 60}
    assert units["resource"].value_counts().to_dict() == {"nonresource": 128, "resource": 90}
    for name in ("region", "resource", "province", "lon", "lat"):
        assert (units[name] == places[name].reindex(units.index)).all(), name


def test_known_years_are_kept_and_the_others_drawn(study, frame):
    listed = pd.read_csv(study.path / "pilot_years.csv")
    units = frame.groupby("city").first()
    kept = 0
    for row in listed.itertuples():
        if row.city in units.index:
            found = units.loc[
                row.city, {"innovation": "innovative_year"}.get(row.policy, "smart_year")
            ]
            assert np.isfinite(found), row
            assert np.isnan(row.year) or found == row.year, row
            kept += 1
    assert kept > 50
    other = drawn_skeleton(study, 7).groupby("city").first()
    both = units.index.intersection(other.index)
    assert (
        units.loc[both, "smart_year"].fillna(0) != other.loc[both, "smart_year"].fillna(0)
    ).any()


def test_the_design_is_still_the_printed_one(frame):
    units = frame.groupby("city").first()
    first, second = units["innovative_year"], units["smart_year"]
    assert (first.notna() & second.notna()).sum() == 37
    assert (first < second).sum() == 16
    assert (first > second).sum() == 18
    both = frame[["innovative_year", "smart_year"]].max(axis=1, skipna=False)
    assert 0.0845 <= (frame["year"] >= both).mean() <= 0.0855


def test_a_place_whose_year_no_unit_has_left_gives_way():
    start = np.array([[2010.0], [np.inf], [np.inf]])
    alike = pd.Series(["a", "a", "a", "b", "a"])
    facts = (Fact(0, 0, 2010.0), Fact(1, 0, 2010.0))
    for seed in range(5):
        found = _assigned(start, np.array([0, 1, 2]), facts, alike, np.random.default_rng(seed))
        assert found[0] in (0, 1)  # one of the two that are known to have adopted in 2010
        assert set(found[1:]) == {2, 4}  # the other gives way to a place of its group


def test_a_design_that_known_adoptions_do_not_fit_into_is_refused():
    start, alike = np.array([[2010.0], [np.inf]]), pd.Series(["a", "b", "b"])
    facts = [Fact(0, 0, 2010.0), Fact(1, 0, np.nan)]
    found = _assigned(start, np.array([0, 1]), facts, alike, np.random.default_rng(0))
    assert found.tolist() == [0, 2]  # place 1 adopted some time, and no unit is left that did
    with pytest.raises(NotIdentifiedError, match="no other place of its groups is left"):
        _assigned(start, np.array([0, 1]), facts, alike[:2], np.random.default_rng(0))


def test_a_sample_that_the_groups_do_not_allow_is_refused():
    places = pd.DataFrame({"region": ["a", "b", "b"]})
    with pytest.raises(InputError, match="no sample of the places"):
        _sample(places, {"region": {"a": 2, "b": 0}}, 2, np.random.default_rng(0))


def test_an_unknown_place_is_refused(study):
    places = pd.DataFrame({"city": ["Nowhere"]})
    with pytest.raises(InputError, match="no such place or policy") as error:
        known_adoptions(study, places)
    assert error.value.row == 2


def test_concurrent_policies_are_dealt_anew_and_may_favour_who_has_pilots():
    pilots = np.repeat([0, 1, 2], 100)
    frame = pd.DataFrame({"u": np.repeat(np.arange(300), 2), "p": np.tile([0, 1], 300)})
    frame["p"] *= np.repeat(np.arange(300) < 60, 2)  # sixty units have it from the second period
    shares = []
    for seed in range(40):
        found = favoured(
            frame, "u", ["p"], pd.Series(np.repeat(pilots, 2)), np.random.default_rng(seed)
        )
        have = found["p"].to_numpy().reshape(300, 2)
        assert have.sum(axis=0).tolist() == [0, 60]
        shares.append(pilots[have[:, 1] == 1].mean())
    # without favour the mean of 60 of 300 has sd sqrt(2/3 / 60 * .8) = .094 around 1
    assert np.std(shares) > 3 * 0.094
    assert abs(np.mean(shares) - 1) < 4 * np.std(shares) / np.sqrt(40)
