"""Errors for users."""

import pickle

from bayesdid.exceptions import InputError, nearest_name


def test_a_worker_process_hands_back_the_same_error():
    error = InputError("no such column", file="a.csv", row=3, value="x", remedy="add it")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == "a.csv, row 3: no such column (value: x). Remedy: add it."
    assert vars(copy) == vars(error)


def test_the_nearest_name_is_one_that_is_known_or_none():
    assert nearest_name("inovation", ["smart", "innovation"]) == "innovation"
    assert nearest_name("zzz", ["smart", "innovation"]) == ""
