"""All files that a study names, so that a result can depend on what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from bayesdid.study.load import Spec, Study


def named_files(study: Study, spec: Spec | None = None) -> dict[str, Path]:
    """Files behind a study's panel, coordinates and weights, and those a spec names itself.

    Parameters
    ----------
    spec
        Its ``weights`` and options may name files of the user's, relative to the working
        directory; default: those of every spec of the study.

    Returns
    -------
    dict
        Name as it is written -> path, which need not exist. A shapefile brings its companions
        (``.shx``, ``.dbf``, ``.prj``, ...).
    """
    file = study.file
    inside = [file.panel.path, file.panel.coordinates, *(item.path for item in file.weights)]
    if file.panel.simulate is not None:
        inside.append(file.panel.simulate.places)
    found = {name: study.path / name for name in inside if name is not None}
    for item in (spec,) if spec is not None else study.specs.values():
        for text in _texts((item.column.weights, item.column.options)):
            if Path(text).suffix and _is_file(text):
                found[text] = Path(text)
    for name, path in list(found.items()):
        if path.suffix.lower() == ".shp":
            found |= {
                f"{name}: {other.name}": other for other in path.parent.glob(f"{path.stem}.*")
            }
    return dict(sorted(found.items()))


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


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # far too long for a name, or a NUL in it
        return False
