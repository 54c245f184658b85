"""Names of columns and terms from the labels that tables print."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bayesdid.importing.rows import is_constant

_PRODUCT = re.compile(r"\s*[×*#·]\s*|\s+[xX]\s+|(?<=\w):(?=\w)")
_TAKEN = frozenset({"both", "all", "any", "simultaneous", "active", "only", "first", "order"})
_LAG = re.compile(r"^w(?:\s*[×*x·]\s*|_)|^spatial lag of\s+", re.IGNORECASE)
CONSTANT = "constant"


def slug(label: str) -> str:
    """A label as the name of a column: words joined by underscores."""
    name = re.sub(r"\W+", "_", label.strip()).strip("_") or "unnamed"
    if name[0].isdigit() or name.lower() in _TAKEN:
        name = f"x_{name}"
    return name[:60]


@dataclass(slots=True)
class Names:
    """Terms by label, one for each, as every table of a document writes them.

    Labels that differ in capitals only are one variable.
    """

    columns: dict[str, str] = field(default_factory=dict)
    printed: dict[str, list[str]] = field(default_factory=dict)

    def column(self, label: str) -> str:
        """The column that a label names."""
        key = " ".join(label.split()).lower()
        if key not in self.columns:
            name, number = slug(label), 2
            while name in self.columns.values():
                name, number = f"{slug(label)}_{number}", number + 1
            self.columns[key] = name
        name = self.columns[key]
        known = self.printed.setdefault(name, [])
        if label not in known:
            known.append(label)
        return name

    def term(self, label: str) -> str:
        """The term of a row: a column, or a product of columns."""
        if is_constant(label):
            return CONSTANT
        bare = _LAG.sub("", label.strip())
        factors = [part for part in _PRODUCT.split(bare) if part.strip()]
        return " * ".join(self.column(part.strip()) for part in factors) or self.column("unnamed")
