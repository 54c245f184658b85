"""All files that a study names, so that a result can depend on what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from bayesdid.study.load import Spec, Study
from bayesdid.study.paths import inside, is_file


def named_files(study: Study, spec: Spec | None = None) -> dict[str, Path]:
    """Files behind a study's panel, coordinates and weights, and those a spec names itself.

    Parameters
    ----------
    spec
        Its ``weights`` and options may name files, see :meth:`Study.find`; default: those of every
        spec of the study.

    Returns
    -------
    dict
        Name as it is written -> path, which need not exist. A shapefile brings its companions
        (``.shx``, ``.dbf``, ``.prj``, ...).
    """
    file = study.file
    named = [file.panel.path, file.panel.coordinates, *(item.path for item in file.weights)]
    named.append(file.design.timing.sourced)
    if file.panel.simulate is not None:
        named.append(file.panel.simulate.places)
    found = {name: study.inside(name) for name in named if name is not None}
    for item in (spec,) if spec is not None else study.specs.values():
        for text in _texts((item.column.weights, item.column.options)):
            if Path(text).suffix and is_file(path := study.find(text)):
                found[text] = path
    for name, path in list(found.items()):
        if path.suffix.lower() == ".shp":
            found |= {
                f"{name}: {other.name}": other for other in path.parent.glob(f"{path.stem}.*")
            }
    return dict(sorted(found.items()))


def refuse_outside(study: Study) -> None:
    """Refuse a study, unless it is trusted, that names a file outside of its folder.

    Raises
    ------
    InputError
        Naming the file.
    """
    for path in named_files(study).values():
        inside(study.path, str(path.absolute()), trust=study.trust)


def _texts(value: object) -> Iterator[str]:
    """Every text in nested options."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
