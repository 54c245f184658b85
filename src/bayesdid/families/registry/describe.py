"""A family's options in words: what documentation, the command line and errors say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bayesdid.families.registry.family import TERMS, Options


@dataclass(frozen=True, slots=True)
class OptionText:
    """One option.

    Attributes
    ----------
    name, description
        As declared.
    takes
        What it may be, e.g. "a number above 0".
    default
        As it is written in a study file; empty if there is none.
    required
        Whether it must be given.
    """

    name: str
    takes: str
    default: str
    required: bool
    description: str


def option_texts(options: type[Options]) -> tuple[OptionText, ...]:
    """Every option of a family, in the order of their declaration."""
    schema = options.model_json_schema()
    needed = set(schema.get("required", ()))
    return tuple(
        OptionText(
            name,
            takes(value),
            "" if name in needed or value.get("default") is None else written(value["default"]),
            name in needed,
            value.get("description", ""),
        )
        for name, value in schema.get("properties", {}).items()
    )


def takes(schema: dict[str, Any]) -> str:
    """What a value of this JSON Schema may be, in words."""
    if "anyOf" in schema:
        kinds = [
            takes(item | _terms(schema)) for item in schema["anyOf"] if item != {"type": "null"}
        ]
        return " or ".join(kinds)
    if "enum" in schema:
        *most, last = [written(value) for value in schema["enum"]]
        return f"{', '.join(most)} or {last}" if most else last
    if "const" in schema:
        return written(schema["const"])
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("prefixItems")
        if items:
            return f"{len(items)} of: {takes(items[0])}"
        return f"a list of: {takes(schema['items'] | _terms(schema))}"
    if kind in {"number", "integer"}:
        return _number("a whole number" if kind == "integer" else "a number", schema)
    if kind == "boolean":
        return "true or false"
    return "a column or term" if _terms(schema) else "text"


def _terms(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: schema[key] for key in TERMS if key in schema}


def _number(text: str, schema: dict[str, Any]) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    bounds = [f"{word} {schema[key]:.9g}" for key, word in words.items() if key in schema]
    return " ".join([text, " and ".join(bounds)]).strip()


def written(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(item) for item in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
