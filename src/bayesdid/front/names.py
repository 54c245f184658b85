"""Arguments that name columns or terms: text, one each or several, and clusters of one column."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from bayesdid.exceptions import InputError

_SEVERAL = re.compile(r"[+^*&,]| and ")  # between columns, as other software joins them


def require_names(**given: object) -> None:
    """Refuse what is not the name of one column.

    Raises
    ------
    InputError
        Naming the argument.
    """
    for argument, value in given.items():
        if value is None or isinstance(value, str):
            continue
        if argument == "cluster" and isinstance(value, Sequence) and len(value) != 1:
            raise _two_way(" and ".join(map(str, value)))
        raise InputError(
            f"{argument} is the name of one column",
            value=repr(value)[:60],
            remedy=f'such as {argument}="name", as text',
        )


def require_texts(**given: object) -> None:
    """Refuse what is neither a text nor several.

    Raises
    ------
    InputError
        Naming the argument.
    """
    for argument, value in given.items():
        several = isinstance(value, Collection) and all(isinstance(one, str) for one in value)
        if value is not None and not several:
            raise InputError(
                f"{argument} is a text or a list of texts",
                value=repr(value)[:60],
                remedy=f'such as {argument}=["a", "b"]',
            )


def require_one_cluster(cluster: str | None, known: Collection[str]) -> None:
    """Refuse clusters of two columns together or crossed, which no column is.

    Raises
    ------
    InputError
        With what there is instead.
    """
    if cluster is not None and cluster not in known and _SEVERAL.search(cluster):
        raise _two_way(cluster)


def _two_way(value: str) -> InputError:
    return InputError(
        "clusters are of one column, in which units are whole: two-way clusters, and clusters of "
        "groups and periods, are not computed",
        value=value,
        remedy='name the coarser column, cluster="region"; errors that a group shares in a period '
        "are an effect, random(region^year)",
    )
