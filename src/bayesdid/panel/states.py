"""Columns of two words that say whether something is on: Yes and No, 是 and 否, and their like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError, Note
from bayesdid.notebook import many
from bayesdid.panel.values import MISSING

PAIRS = (
    ("no", "yes"),
    ("n", "y"),
    ("false", "true"),
    ("f", "t"),
    ("off", "on"),
    ("control", "treated"),
    ("control", "treatment"),
    ("control group", "treated group"),
    ("control group", "treatment group"),
    ("before", "after"),
    ("pre", "post"),
    ("否", "是"),
    ("无", "有"),
    ("控制组", "处理组"),
    ("对照组", "处理组"),
    ("对照组", "实验组"),
    ("×", "√"),
    ("x", "√"),
    ("✗", "✓"),
    ("✘", "✔"),
)
_NOT = ("non-", "non ", "non", "not ", "no ", "un", "非", "未", "不", "没有", "无")
"""Words for 0 and for 1, in small letters: other pairs are refused, but a word and its denial."""


@dataclass(frozen=True, slots=True)
class State:
    """A column of words as 0, 1 and missing, and the words as typed."""

    numbers: pd.Series
    off: str
    on: str

    def note(self, column: str) -> Note:
        """What was read as what, in how many rows."""
        on, off = (int((self.numbers == value).sum()) for value in (1, 0))
        text = f"{column}: {self.on} is read as 1 ({many(on, 'row')}) and {self.off} as 0 ({off})"
        return Note("state_in_words", on + off, text)


def state_of(values: pd.Series) -> State | None:
    """The state that a column of text says in two words of one pair; None if it says none."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return None
    typed = values.astype("string").str.strip()
    text = typed.str.lower()
    told = text.notna() & ~text.isin(MISSING)
    seen = {*text[told]}
    pair = next((pair for pair in (*PAIRS, *_negated(seen)) if seen == {*pair}), None)
    if pair is None:
        return None
    found = pd.Series(np.nan, index=values.index)
    for value, word in enumerate(pair):
        found[told & (text == word)] = float(value)
    first = {value: str(typed[found == value].iloc[0]) for value in (0, 1)}
    return State(found, first[0], first[1])


def _negated(seen: set[str]) -> list[tuple[str, str]]:
    """A word and the same word denied: 非试点 and 试点, untreated and treated."""
    return [(no + word, word) for word in seen for no in _NOT if word and no + word in seen]


def coded_state(codes: pd.DataFrame | None, column: str) -> pd.Series | None:
    """Codes behind a column's labels, where they are a state themselves: 0, 1 and missing."""
    if codes is None or column not in codes:
        return None
    behind = pd.to_numeric(codes[column], errors="coerce")
    return behind if behind.dropna().isin([0, 1]).all() else None


def states_in(
    frame: pd.DataFrame,
    columns: list[str],
    source: str,
    codes: pd.DataFrame | None,
    notes: list[Note],
) -> dict[str, pd.Series]:
    """The states among some columns that are typed as words, by column.

    Of a column with codes behind its labels the codes count, where they are 0 and 1.

    Raises
    ------
    InputError
        If codes 0 and 1 have labels that say 1 and 0.
    """
    found = {}
    for column in columns:
        if (state := state_of(frame[column])) is None:
            continue
        if (behind := coded_state(codes, column)) is not None:
            known = behind.notna() & state.numbers.notna()
            if (odd := known & (behind != state.numbers)).any():
                raise InputError(
                    f"its code {behind[odd.idxmax()]:.0f} has the label "
                    f"{frame.loc[odd.idxmax(), column]}",
                    file=source,
                    column=column,
                    row=int(frame.loc[odd.idxmax(), "__row__"]),
                    remedy="code it 0 (not under the policy) and 1, and label it likewise",
                )
            continue
        found[column] = state.numbers
        notes.append(state.note(column))
    return found
