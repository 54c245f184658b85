"""Words of a formula, and the tree that they make. Read character by character, never evaluated.

Grammar, ``{}`` for any number and ``[]`` for none or one::

    sum     = product { "+" product }
    product = factor { (":" | "*") factor }        ":" binds closer
    factor  = NAME [ "(" argument { "," argument } ")" ] | NUMBER | STRING | "(" sum ")"
    argument = [ NAME "=" ] ( sum | list )
    list    = ("c(" | "[" | "(") NUMBER { "," NUMBER } (")" | "]")
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayesdid.study.derived import QUOTED, derived_of, quoted

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[^\W\d][\w.]*|`[^`]*`)|(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<string>'[^']*'|\"[^\"]*\")"
    r"|(?P<mark>[!-/:-@\[-`{-~]))"
)
_DEEPEST = 20
LONGEST = 10_000
"""Characters in a formula."""


class RefusedError(ValueError):
    """What the grammar does not have, and what to write instead."""

    def __init__(self, problem: str, value: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.value, self.remedy = problem, value, remedy


@dataclass(frozen=True, slots=True)
class Node:
    """A name, number, string, list, call or operation, with its arguments and their names."""

    kind: str
    text: str = ""
    parts: tuple[Node, ...] = ()
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.kind:
            case "call":
                given = zip(self.names, self.parts, strict=True)
                inner = ", ".join(f"{name} = {part}" if name else str(part) for name, part in given)
                return f"{self.text}({inner})"
            case "list":
                return f"c({', '.join(map(str, self.parts))})"
            case "name" | "number" | "string":
                return self.text
        return self.kind.join(map(str, self.parts))


def read_sum(text: str) -> tuple[Node, ...]:
    """The summands of one side of a formula.

    Raises
    ------
    RefusedError
        For what the grammar does not have.
    """
    reader = _Reader(_words(text), text)
    found = reader.sum(0)
    if reader.next is not None:
        raise reader.unexpected()
    return found


def _words(text: str) -> list[tuple[str, str]]:
    words, at, text = [], 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise RefusedError("a character that no formula has", repr(text[at]), "leave it out")
        kind = str(found.lastgroup)
        word = found[kind]
        if kind == "name" and word.startswith("`"):
            word = _quoted(word)
        words.append((kind, word))
        at = found.end()
    return words


def _quoted(word: str) -> str:
    """A name in backticks, without them if it needs none."""
    inner = word[1:-1].strip()
    if not re.fullmatch(QUOTED, word) or not inner or derived_of(inner) is not None:
        remedy = "rename the column, to no function and without * @ ~ | and line breaks"
        raise RefusedError("a name that no formula can hold", word, remedy)
    return quoted(inner)


class _Reader:
    """A place in the words of a formula."""

    def __init__(self, words: list[tuple[str, str]], text: str) -> None:
        self.words, self.text, self.at = words, text.strip(), 0

    @property
    def next(self) -> str | None:
        return self.words[self.at][1] if self.at < len(self.words) else None

    def took(self, *marks: str) -> str | None:
        """The next word, if it is one of these marks."""
        if self.next in marks:
            self.at += 1
            return self.words[self.at - 1][1]
        return None

    def unexpected(self) -> RefusedError:
        value = self.next
        if value in _REMEDIES:
            return RefusedError(f"'{value}' has no meaning here yet", self.text, _REMEDIES[value])
        if value is None:
            return RefusedError("the formula ends too early", self.text, "complete it")
        return RefusedError(
            f"'{value}' is not expected here",
            self.text,
            "write + between terms; put names with spaces or marks in backticks, and make a column "
            "of what a function would work out of several",
        )

    def sum(self, depth: int) -> tuple[Node, ...]:
        found = [self.product(depth)]
        while self.took("+"):
            found.append(self.product(depth))
        return tuple(found)

    def product(self, depth: int) -> Node:
        crossed = [self.interaction(depth)]
        while self.took("*"):
            crossed.append(self.interaction(depth))
        return crossed[0] if len(crossed) == 1 else Node("*", parts=tuple(crossed))

    def interaction(self, depth: int) -> Node:
        found = [self.factor(depth)]
        while self.took(":"):
            found.append(self.factor(depth))
        return found[0] if len(found) == 1 else Node(":", parts=tuple(found))

    def factor(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise RefusedError("too many brackets in brackets", self.text[:60], "write it out")
        if self.took("("):
            inner = self.sum(depth + 1)
            self.close(")")
            if len(inner) > 1:
                raise RefusedError(
                    "a sum in brackets", "+".join(map(str, inner)), "write its products out"
                )
            return inner[0]
        if self.next is None or self.words[self.at][0] == "mark":
            raise self.unexpected()
        kind, text = self.words[self.at]
        self.at += 1
        if kind == "name" and self.took("("):
            return self.call(text, depth + 1)
        return Node(kind, text)

    def call(self, name: str, depth: int) -> Node:
        names: list[str] = []
        parts: list[Node] = []
        while self.next != ")":
            if parts and not self.took(","):
                raise self.unexpected()
            follows = self.words[self.at + 1][1] if self.at + 1 < len(self.words) else ""
            names.append("")
            if self.at < len(self.words) and self.words[self.at][0] == "name" and follows == "=":
                names[-1] = str(self.next)
                self.at += 2
            parts.append(self.argument(depth))
        self.close(")")
        return Node("call", name, tuple(parts), tuple(names))

    def argument(self, depth: int) -> Node:
        words = self.words[self.at : self.at + 2]
        if [word for _, word in words] == ["c", "("]:
            self.at += 2
            return self.numbers(")")
        if self.took("["):
            return self.numbers("]")
        if self.next == "-" or (words and words[0][0] == "number"):
            return self.number()
        found = self.sum(depth)
        return found[0] if len(found) == 1 else Node("+", parts=found)

    def numbers(self, end: str) -> Node:
        found = [self.number()]
        while self.took(","):
            found.append(self.number())
        self.close(end)
        return Node("list", parts=tuple(found))

    def number(self) -> Node:
        sign = self.took("-") or ""
        if self.next is None or self.words[self.at][0] != "number":
            raise self.unexpected()
        self.at += 1
        return Node("number", sign + self.words[self.at - 1][1])

    def close(self, mark: str) -> None:
        if not self.took(mark):
            raise self.unexpected()


_REMEDIES = {
    "^": "make a column of the groups, or of the power, in the data frame",
    "-": "leave the term out; intercept and effects are said after |",
    "[": "slopes that differ between groups stand after |: unit[x]",
    "/": "make a column of it in the data frame",
    "%": "make a column of it in the data frame",
    "`": "close it: a column's name stands between two backticks",
    "~": "write one ~; an instrument stands after the last |: y ~ x | unit + period | D ~ z",
}
