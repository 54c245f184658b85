"""JSON Schemas of the study files, each family's fields and options among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bayesdid.families.registry.discover import families
from bayesdid.families.registry.family import MODEL_FIELDS, AnyFamily
from bayesdid.jsonio import write_json
from bayesdid.study.jsonschema import structure
from bayesdid.study.schema import Column


def schemas(known: dict[str, AnyFamily] | None = None) -> dict[str, dict[str, Any]]:
    """``study``, ``table`` and ``claims`` -> JSON Schema (2020-12).

    Parameters
    ----------
    known
        Families that columns may name; by default all that are found, plug-ins included.
    """
    known = families() if known is None else known
    found = structure()
    column = found["table"]["$defs"]["Column"]
    column["properties"]["family"]["enum"] = list(known)
    column["allOf"] = [_rule(family) for family in known.values()]
    return found


def _rule(family: AnyFamily) -> dict[str, Any]:
    """What else a column of this family may say; a field that it does not read has its default."""
    defaults = Column(id="any", outcome="any")
    chosen: dict[str, Any] = {"properties": {"family": {"const": family.name}}}
    if family.name != defaults.family:
        chosen["required"] = ["family"]
    unread = sorted(MODEL_FIELDS - family.reads)
    blank = defaults.model_dump(mode="json", include=set(unread), exclude_defaults=False)
    rest = {name: {"const": {} if name == "sample" else blank[name]} for name in unread}
    options = family.options.model_json_schema()
    rule: dict[str, Any] = {"properties": {"options": options} | rest}
    if options.get("required"):
        rule["required"] = ["options"]
    return {"if": chosen, "then": rule}


def write_schemas(folder: Path, known: dict[str, AnyFamily] | None = None) -> list[Path]:
    """Write one ``<name>.schema.json`` for each kind of file."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, schema in schemas(known).items():
        path = folder / f"{name}.schema.json"
        write_json(path, schema)
        paths.append(path)
    return paths
