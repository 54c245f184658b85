"""Choices between models over an ensemble: differences, and whether the conclusion is the same."""

from bayesdid.estimands.beside import ModelSays
from bayesdid.reconstruct.choices import choice, choice_sentence
from bayesdid.reconstruct.unsaid import CLUSTERED, PERSISTENCE, RANDOM, Unsaid, yardsticks
from bayesdid.summary import Interval


def says(mean, p):
    return ModelSays(mean, 1.0, Interval(mean - 1, mean + 1, 0.89), p, "")


def test_a_choice_is_judged_member_by_member():
    one = [says(0.0, 0.96), says(0.1, 0.5), says(0.2, 0.01)]
    other = [says(0.5, 0.97), says(0.2, 0.97), says(0.3, 0.04)]
    found = choice("errors", "a", "b", one, other)
    assert found.same == 2  # supported and contradicted alike, but open against supported
    assert found.difference == (0.5 + 0.1 + 0.1) / 3
    assert (found.low, found.high) == (min(0.5, 0.2 - 0.1, 0.3 - 0.2), 0.5)
    text = choice_sentence("Both", found, 3, {"a": (0.25, 0.75), "b": (0.9, 0.1)})
    assert "under a 25% is sampling and 75% is what the tables do not say" in text
    assert "under b 90% is sampling and 10% is what the tables do not say" in text
    assert "the conclusion is the same in 2 of 3 members" in text


def test_what_is_determined_is_a_matter_of_the_spread():
    limits = yardsticks({RANDOM: -0.5, CLUSTERED: 0.2, PERSISTENCE: 0.3}, se=0.1)
    assert limits == {RANDOM: 0.1 * 0.1, CLUSTERED: 0.1 * 0.2, PERSISTENCE: 0.1}
    assert Unsaid("t.1", RANDOM, (0.5, 0.505), limits[RANDOM]).determined
    assert not Unsaid("t.1", RANDOM, (0.5, 0.52), limits[RANDOM]).determined
