"""docs/study-fields.md: every field of the study files, from their JSON Schemas; `make map`."""

from __future__ import annotations

from typing import Any

from bayesdid.families.registry.describe import takes, written

FILES = {"study": "study.toml", "table": "A table or figure", "claims": "claims.toml"}
HEAD = """# Fields of study files

Made from the schemas that the loader itself uses (`bayesdid schema`,
[schema/](schema/study.schema.json)); [the study format](study-format.md) explains them, and has the
options of every family.
"""


def schema_page(known: dict[str, dict[str, Any]]) -> str:
    """The page, from the schemas of :func:`bayesdid.families.registry.schemas.schemas`."""
    parts = [HEAD]
    for name, heading in FILES.items():
        schema = known[name]
        parts.append(f"## {heading}\n\n{_fields(schema)}")
        for kind, part in schema["$defs"].items():
            if "properties" in part:
                description = part.get("description", "").partition("\n\n")[0].replace("\n", " ")
                parts.append(f"### {name}: {kind}\n\n{description}\n\n{_fields(part)}")
    return "\n\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def _fields(schema: dict[str, Any]) -> str:
    needed = set(schema.get("required", ()))
    lines = ["| field | takes | default | meaning |", "| --- | --- | --- | --- |"]
    for name, value in schema.get("properties", {}).items():
        default = value.get("default")
        plain = default and not isinstance(default, dict)
        shown = "needed" if name in needed else f"`{written(default)}`" if plain else ""
        text = value.get("description", "").replace("\n", " ").replace("|", "\\|")
        lines.append(
            f"| `{name}` | {_takes(value).replace('|', chr(92) + '|')} | {shown} | {text} |"
        )
    return "\n".join(lines)


def _takes(value: dict[str, Any]) -> str:
    """In words; other objects by their names."""
    if "$ref" in value:
        return value["$ref"].rpartition("/")[2]
    if "anyOf" in value:
        return " or ".join(_takes(v) for v in value["anyOf"] if v != {"type": "null"})
    if "allOf" in value:
        return _takes(value["allOf"][0])
    if value.get("type") == "array" and "items" in value:
        return f"a list of: {_takes(value['items'])}"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"a table of: {_takes(inner)}" if isinstance(inner, dict) and inner else "a table"
    return takes(value)
