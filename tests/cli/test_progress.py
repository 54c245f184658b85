"""Progress with the time left: in lines where there is no terminal, and only where asked for."""

import pytest

from bayesdid.cli import console as module
from bayesdid.cli.console import left, progress, stepper


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_is_that_of_the_pace_so_far():
    assert left(8, 32, 20.0) == "8 of 32, about 60 s left"
    assert left(1, 3, 90.0) == "1 of 3, about 3 min left"
    assert left(0, 3, 4.0) == "0 of 3"
    assert left(1, 96, 36.0) == "1 of 96"  # 57 minutes were promised of a part that took one
    assert left(5, 96, 40.0) == "5 of 96, about 12 min left"
    assert left(3, 3, 4.0) == "3 of 3"


def test_a_report_says_its_parts_and_not_more_than_every_so_often(clock, capsys):
    with stepper(2) as step:
        done = step("fits", 10)
        for _ in range(10):
            clock[0] += 6.0
            done("t.1")
        step("headline", 1)("")
    assert capsys.readouterr().err.splitlines() == [
        "[1/2] fits: 10",
        "[1/2] fits: 3 of 10, about 42 s left",
        "[1/2] fits: 6 of 10, about 24 s left",
        "[1/2] fits: 9 of 10, about 6 s left",
        "[2/2] headline",
    ]


def test_others_are_silent_without_a_terminal(capsys):
    with progress("checks", 3) as done:
        done()
    with stepper() as step:
        step("fits", 2)("x")
    assert capsys.readouterr().err == ""
