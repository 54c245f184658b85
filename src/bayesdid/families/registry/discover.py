"""Which families there are: those in this package, those of installed packages, those registered.

A family is found if it is named ``FAMILY`` in a module or folder of :mod:`bayesdid.families`, or
named by an entry point of an installed package::

    [project.entry-points."bayesdid.families"]
    my_family = "my_package.my_module:FAMILY"

or handed to :func:`register`. Nothing else has to know of it.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

import bayesdid.families
from bayesdid.exceptions import InputError
from bayesdid.families.registry.family import AnyFamily, Family

GROUP = "bayesdid.families"
_SHARED = frozenset(
    {"analysis", "examined", "registry", "run", "store", "under_errors"}
)  # what families have in common
_registered: dict[str, AnyFamily] = {}


def families() -> dict[str, AnyFamily]:
    """Name -> family, in the order of the report.

    Raises
    ------
    InputError
        If two families have one name, or one that is named is none.
    """
    every = [*_shipped(), *_plugged_in(), *_registered.values()]
    found = {
        family.name: family
        for family in sorted(every, key=lambda f: (f.section.order, f.order, f.name))
    }
    if len(found) < len(every):
        names = [family.name for family in every]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError("two families have one name", value=twice, remedy="rename yours")
    return found


def shipped() -> dict[str, AnyFamily]:
    """Those of :func:`families` that ship with this package: what its documentation lists."""
    names = {family.name for family in _shipped()}
    return {name: family for name, family in families().items() if name in names}


def register(family: AnyFamily) -> None:
    """Add a family for this process; an entry point adds it for good."""
    if family.name in families():
        raise InputError("two families have one name", value=family.name, remedy="rename yours")
    _registered[family.name] = family


def forget() -> None:
    """Forget what was registered and look for families anew."""
    _registered.clear()
    _shipped.cache_clear()
    _plugged_in.cache_clear()


@cache
def _shipped() -> tuple[AnyFamily, ...]:
    names = [
        module.name
        for module in pkgutil.iter_modules(bayesdid.families.__path__)
        if module.name not in _SHARED
    ]
    return tuple(_checked(import_module(f"bayesdid.families.{name}"), name) for name in names)


@cache
def _plugged_in() -> tuple[AnyFamily, ...]:
    found = []
    for point in entry_points(group=GROUP):
        try:
            value = point.load()
        except (ImportError, AttributeError) as error:
            raise InputError(
                f"the plug-in family cannot be loaded: {error}",
                value=f"{point.name} = {point.value}",
                remedy="mend or uninstall the package that names it",
            ) from error
        found.append(_checked(value, point.value))
    return tuple(found)


def _checked(holder: object, name: str) -> AnyFamily:
    family = holder if isinstance(holder, Family) else getattr(holder, "FAMILY", None)
    if not isinstance(family, Family):
        raise InputError(
            "holds no FAMILY", value=name, remedy="define FAMILY = Family(...) in it; see docs"
        )
    return family
