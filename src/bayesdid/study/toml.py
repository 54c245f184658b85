"""One TOML file of a study as plain values, bounded in depth and free of control characters."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from bayesdid.exceptions import InputError

_DEEPEST = 20  # levels of tables and arrays; a study needs six
_LARGEST = 20_000_000  # bytes
# what a terminal, a page or a LaTeX file may obey; line breaks and tabs are text
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file; one that begins with a byte order mark, as Windows writes it, is fine.

    Raises
    ------
    InputError
        If it cannot be read, is no UTF-8 or no TOML, is nested deeper than any study is, or holds
        a control character.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(
                f"larger than {_LARGEST // 1_000_000} MB", file=path, remedy="split it into tables"
            )
        text = path.read_text(encoding="utf-8-sig")
        raw: dict[str, Any] = tomllib.loads(text)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", file=path, remedy="check its rights"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", file=path, remedy="save it as UTF-8") from error
    except RecursionError as error:
        raise _nested(path) from error
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        at = re.search(r"at line (\d+)", str(error))
        raise InputError(
            f"not valid TOML: {error}",
            file=path,
            line=int(at[1]) if at else None,
            remedy="mend the line",
        ) from error
    # a value holds a control character if the text does, or an escape stands for one
    _check(raw, path, texts="\\" in text or _CONTROL.search(text) is not None)
    return raw


def _check(raw: dict[str, Any], path: Path, *, texts: bool) -> None:
    """Walk through all values, without recursion, whatever their depth; `texts` only if asked."""
    read = (dict, list, str) if texts else (dict, list)
    left: list[tuple[int, str, Any]] = [(0, "", raw)]
    while left:
        depth, place, value = left.pop()
        if depth > _DEEPEST:
            raise _nested(path)
        if isinstance(value, dict):
            left += [(depth + 1, place, key) for key in value if texts]
            left += [
                (depth + 1, f"{place}.{key}".lstrip("."), item)
                for key, item in value.items()
                if isinstance(item, read)
            ]
        elif isinstance(value, list):
            left += [(depth + 1, place, item) for item in value if isinstance(item, read)]
        elif found := _CONTROL.search(value):
            raise InputError(
                "a text holds a control character",
                file=path,
                column=place or None,
                value=repr(found[0])[1:-1],
                remedy="take it out",
            )


def _nested(path: Path) -> InputError:
    return InputError(
        "nested deeper than any study is", file=path, remedy="take brackets out; see the schema"
    )
