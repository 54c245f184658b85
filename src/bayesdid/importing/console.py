"""Tables of coefficients as R prints them: ``summary`` of lm, glm, plm, gls, coxph, feols ..."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from bayesdid.importing.grid import Document, Grid, is_legend, make_grid
from bayesdid.importing.numbers import is_number
from bayesdid.importing.words import WIDE, heading, is_ratio

_KINDS: tuple[tuple[str, str], ...] = (
    ("Estimate", r"Estimate|Value|coef(?=\s)"),
    ("Std. Error", r"(?:Robust )?Std\. ?Error|se\(coef\)"),
    ("Robust Std. Error", r"robust se"),
    ("t value", r"[tz][ -]value|[tz](?=\s)"),
    ("Pr(>|t|)", r"Pr\(>\|[tz]\|\)|p-value|p(?=\s)"),
    ("Lower", r"CI Lower"),
    ("Upper", r"CI Upper"),
    ("Exponentiated", r"exp\(coef\)"),
    ("", r"DF"),
)  # what columns of coefficients are headed by; degrees of freedom are passed over
_LABELS = re.compile(
    r"(?:term|predictor|variable|parameter|coefficient|regressor|effect|event time|time|group)s?\s",
    re.IGNORECASE,
)
_FRAME: tuple[tuple[str, str], ...] = (
    ("Std. Error", r"(?:Standard )?Error(?=\s)"),
    ("t value", r"t Value"),
    ("Pr(>|t|)", r"Pr > (?:\|[tz]\||ChiSq)"),
    ("Limits", r"\[ ?\d\d% +(?:Simult\.|Pointwise|Conf\.) +(?:Conf\. +)?(?:Band|Int\.)\]"),
    ("Limits", r"(?:Wald )?(?:95% )?(?:Confidence )?Limits"),
    ("", r"DF(?=\s)|(?:Wald )?Chi-Square"),
    ("Estimate", r"(?i:estimate|coef\w*|beta|b)(?=\s)"),
    ("Std. Error", r"(?i:std[._]? ?err\w*|se|s\.e\.)(?=\s)"),
    ("t value", r"(?i:statistic|[tz](?:[._]?(?:value|stat))?)(?=\s)"),
    ("Pr(>|t|)", r"(?i:p(?:[._]?val\w*)?)(?=\s)"),
    ("Lower", r"(?i:conf[._]low|lower|ci[._]low\w*)(?=\s)"),
    ("Upper", r"(?i:conf[._]high|upper|ci[._]high\w*)(?=\s)"),
)  # of SAS, and of a data frame, whose labels have a heading, too
_ATT = re.compile(r"^\s*ATT\s+Std\. Error\s+\[\s*(\d\d) ?%\s+Conf\. Int\.\]\s*$")
_STATA = re.compile(
    r"^\s*(\S*)\s*\|\s*(\S+(?: \S+)?)\s+[Ss]td\. [Ee]rr\.\s+([tz])\s+P>\|[tz]\|\s+"
    r"\[(\d\d)% [Cc]onf\. [Ii]nterval\]\s*$"
)
_SUMMARY = re.compile(
    r"^\s*coef\s+std err\s+([tz])\s+P>\|[tz]\|\s+\[0\.025\s+0\.975\]\s*$"
)  # of statsmodels
_MARKS = re.compile(r"['‘’](\*{1,3})['‘’]\s*(0?\.\d+)")
_ENDS = re.compile(r"\s(\*{1,3}|\.)\s*$")
_BELOW = (
    ("Observations", r"\bObservations:\s*([\d,]+)"),
    ("Observations", r"\bNumber of obs\s*[=:]\s*([\d,]*\d)"),
    ("Observations", r"\bN(?:o\.|umber of) [Oo]bservations:\s*([\d,]*\d)"),
    ("Observations", r"\bNumber of Observations Used\s+([\d,]+)"),
    ("Observations", r"(?:^Included|\)|\bpanel) observations:\s*([\d,]+)"),
    ("Observations", r"\busing ([\d,]+) observations"),
    ("Observations", r"\bNobs?(?:ervations)?\s*[=:]\s*([\d,]*\d)"),
    ("Observations", r"^(?:Balanced|Unbalanced) Panel:.*\bN = ([\d,]+)"),
    ("Observations", r"^\s*n= ?([\d,]+)"),
    ("Observations", r"\bNumber of Observations: ([\d,]+)"),
    ("Observations", r"^Degrees of freedom: ([\d,]+) total"),
    ("R2", r"\b(?:Multiple )?R-[Ss]quared:\s*(-?[\d.]+(?:e-?\d+)?)"),
    ("Adjusted R2", r"\bAdj(?:\.|usted) (?:R2|R-[Ss]quared):\s*(-?[\d.]+(?:e-?\d+)?)"),
    ("Within R2", r"\bWithin R2:\s*([\d.e-]+)"),
    ("R2", r"^.*(?<![Aa]dj )(?<![Ww]ithin )R-(?:squared|sq\.)\s*=\s*(-?[\d.]+)"),
    ("Adjusted R2", r"\bAdj R-squared\s*=\s*(-?[\d.]+)"),
    ("Within R2", r"\bWithin R-sq(?:uared|\.)\s*=\s*(-?[\d.]+)"),
    ("Within R2", r"^\s*Within\s*=\s*(-?[\d.]+)"),
    ("R2", r"\b(?:R-Square|(?:^|LSDV )R-squared)\s+(-?[\d.]+)"),
    ("Pseudo R2", r"\bPseudo R2\s*=\s*(-?[\d.]+)"),
    ("Adjusted R2", r"^Adjusted R-squared\s+(-?[\d.]+)"),
    ("Within R2", r"\bWithin R-squared\s+(-?[\d.]+)"),
    ("Adjusted R2", r"\bAdj R-Sq\s+(-?[\d.]+)"),
    ("RMSE", r"\bRoot MSE\s*=?\s*([\d.]+)"),
    ("Number of clusters", r"\bNumber of clusters \([^()]*\)\s*=\s*([\d,]+)"),
    ("Number of clusters", r"\badjusted for ([\d,]+) clusters"),
    ("Residual Std. Error", r"\bResidual standard error:\s*([\d.]+)"),
    ("RMSE", r"\bRMSE:\s*([\d.]+)"),
)
_OUTCOME = re.compile(
    r"Dep\. Var\.:\s*(\S+)|\bDependent [Vv]ariable:?\s+(\S+)|formula = (\S+) ~|^\s*(\S+) ~ |"
    r"^(?:  Model|Fixed effects): +(\S+) ~ "
)


def read_console(lines: list[str]) -> Document | None:
    """Every block of coefficients with what stands around it; None if there is none."""
    measured = [] if any(map(_TITLED.match, lines)) else _programs(lines)
    heads = [
        i
        for i, line in enumerate(lines)
        if _heads(line) or i in measured or any(p.match(line) for p in (_ATT, _STATA, _SUMMARY))
    ]
    if not heads:
        return None
    starts = [0, *(_start(lines, *pair) for pair in pairwise(heads)), len(lines)]
    grids = [
        _grid(lines[starts[k] : starts[k + 1]], head - starts[k]) for k, head in enumerate(heads)
    ]
    return Document(tuple(grid for grid in grids if len(grid.rows) > 1))


_TITLED = re.compile(r"\s*(?:table|tab\.|表)\s*[A-Z]?\d", re.IGNORECASE)  # of an article
_OF_KIND = {
    "estimate": "Estimate",
    "se": "Std. Error",
    "t": "t value",
    "p": "Pr(>|t|)",
    "low": "Lower",
    "high": "Upper",
}


def _programs(lines: list[str]) -> list[int]:
    """Lines that head coefficients of a program by measures alone, errors and t or p among them.

    Below each is a line of as many numbers, at least one, and somewhere n or R2 in words.
    """
    found = []
    for i, line in enumerate(lines):
        heads_of = _measures(line)
        following = [other for other in lines[i + 1 : i + 5] if re.search(r"[^\W_]", other)]
        if heads_of and following and _whole_row(following[0], heads_of) is not None:
            found.append(i)
    text = "\n".join(lines)
    known = _ABOUT.search(text) or any(re.search(p, text, re.MULTILINE) for _, p in _BELOW)
    return found if known else []


_ABOUT = re.compile(r"^\s*(?:Coefficients:?$|Regression Analysis|Model Summary)", re.MULTILINE)


def _measures(line: str) -> list[str]:
    """What columns two spaces apart hold by their headings; what stands before errors is estimates.

    Empty of a line with another heading than that of the labels.
    """
    texts = re.split(r"\s{2,}", line.strip())
    kinds = [_OF_KIND.get(kind, "") for kind in heading(texts, WIDE)]
    if "Std. Error" not in kinds or not {"t value", "Pr(>|t|)"} & set(kinds):
        return []
    first = kinds.index("Std. Error") - 1
    stop = max(j for j, kind in enumerate(kinds) if kind) + 1  # VIF may follow
    found = kinds[first + 1 : stop]
    if first not in {0, 1} or not all(found) or len(set(found)) < len(found):
        return []
    return ["Estimate", *found, *[""] * (len(kinds) - stop)]


def _heads(line: str) -> list[str]:
    """What the columns of coefficients hold that a line is the heading of; empty of another."""
    found: list[str] = []
    rest = line.strip() + " "
    framed = _LABELS.match(rest)
    rest = rest[framed.end() :].lstrip() if framed else rest
    kinds = _FRAME if framed else _KINDS
    while rest.strip():
        kind = next(((k, m.end()) for k, p in kinds if (m := re.match(p, rest))), None)
        if not kind:
            return []
        found += ["Lower", "Upper"] if kind[0] == "Limits" else [kind[0]]
        rest = rest[kind[1] :].lstrip()
    robust = "Robust Std. Error" in found
    named = [
        "" if robust and kind == "Std. Error" else kind.removeprefix("Robust ") for kind in found
    ]
    measured = set(named) & {"Std. Error", "t value"}
    first = next((kind for kind in named if kind), "")  # behind degrees of freedom
    return named if len(named) > 2 and first == "Estimate" and measured else []


def _start(lines: list[str], before: int, head: int) -> int:
    """Where the output begins whose coefficients follow: after the last line of the one before."""
    begins = re.compile(
        r"^\s*(?:Call:|Generalized least|Linear mixed|OLS estimation|.* estimation,|> summary|"
        r"\. \w+ )"
    )
    return next((i for i in range(head, before, -1) if begins.match(lines[i])), head)


def _grid(lines: list[str], head: int) -> Grid:
    if (att := _ATT.match(lines[head])) is not None:
        return _aggregate(lines, head, att[1])
    if (stata := _STATA.match(lines[head])) is not None:
        return _of_stata(lines, head, stata)
    if (summary := _SUMMARY.match(lines[head])) is not None:
        return _of_statsmodels(lines, head, summary[1])
    outcome = next((m for line in lines[:head] if (m := _OUTCOME.search(line))), None)
    name = next((part for part in outcome.groups() if part), "") if outcome else ""
    heads = _heads(lines[head]) or _measures(lines[head])
    kept = [j for j, kind in enumerate(heads) if kind]
    rows = [["", name, *[""] * (len(kept) - 1)], ["", *(heads[j] for j in kept)]]
    rest, text = list(lines[:head]), "\n".join(lines[head:])
    for k, line in enumerate(lines[head + 1 :], head + 1):
        row = _whole_row(line, heads)
        if row is None and len(rows) == _HEADED and re.fullmatch(r"[-=─_\s]*", line):
            continue  # a rule below the headings
        if row is None:
            rest += lines[k:]
            break
        if _OF_BANDS in text:
            row[1] = row[1].rstrip("*")
        if _LABELS.match(lines[head].lstrip()):  # a data frame, which may count its rows
            row[0] = re.sub(rf"^{len(rows) - 1}\s+(?=\S)", "", row[0])
        rows.append([row[0], *(row[j + 1] for j in kept)])
    return make_grid([*rows, *_below(rest, len(kept))], "", _notes(rest))


_HEADED = 2  # rows of headings
_OF_BANDS = "band does not cover 0"  # what a star says of effects by event time, which is no level


def _below(rest: list[str], width: int) -> list[list[str]]:
    """Rows of n, R2 and the like, as the lines around the coefficients say them."""
    text = "\n".join(rest)
    rows: dict[str, list[str]] = {}
    for label, pattern in _BELOW:
        if label not in rows and (found := re.search(pattern, text, re.MULTILINE)):
            rows[label] = [label, found[1], *[""] * (width - 1)]
    return list(rows.values())


def _of_stata(lines: list[str], head: int, said: re.Match[str]) -> Grid:
    """Coefficients of a regression as Stata prints them; levels stand below their factor's name."""
    rows = [
        ["", _of_label(lines, said), "", "", "", "", ""],
        ["", _named(said[2]), "Std. Error", f"{said[3]} value", "p value", "Lower", "Upper"],
    ]
    factor, stop = "", len(lines)
    for k, line in enumerate(lines[head + 1 :], head + 1):
        label, bar, values = line.partition("|")
        if not bar and not re.match(r"\s*-{5,}(?:\+-+)?\s*$", line):
            stop = k
            break
        words = values.split()
        if len(words) == 6 and all(map(is_number, words)):
            rows.append([f"{factor}: {label.strip()}" if factor else label.strip(), *words])
        elif bar and not words:
            factor = label.strip()
    rest = [*lines[:head], *lines[stop:]]
    told = [line.strip(" ()") for line in rest if re.search(r"[Ss]td\. [Ee]rr\. adjusted", line)]
    robust = (
        "Robust standard errors." if "Robust" in " ".join(lines[max(0, head - 2) : head]) else ""
    )
    notes = " ".join([*(f"Clustered: {line}." for line in told), robust])
    return make_grid([*rows, *_below(rest, 6)], "", f"{notes} {said[4]} % confidence interval.")


def _of_label(lines: list[str], said: re.Match[str]) -> str:
    """The outcome above the labels of coefficients; above those of other effects its command."""
    if said[2].startswith("Coef") or _named(said[2]) != "Estimate":
        return said[1]
    command = next((m for line in lines if (m := _COMMAND.match(line))), None)
    return command[1] if command else ""


def _named(measure: str) -> str:
    """What an effect is called: a ratio by its name, anything else an estimate."""
    name = re.sub(r"^Haz\.", "Hazard", measure)
    return name if is_ratio(name) else "Estimate"


_COMMAND = re.compile(r"^\. (?:\w+: *)?(?:\w*didregress|csdid\w*) *\(?(\w+)")


def is_stata(lines: list[str]) -> bool:
    """Whether Stata printed a regression among the lines."""
    return any(map(_STATA.match, lines))


def _of_statsmodels(lines: list[str], head: int, kind: str) -> Grid:
    """Coefficients of a fit as statsmodels prints its summary, between rules."""
    outcome = next((m for line in lines[:head] if (m := _DEPENDENT.search(line))), None)
    rows = [
        ["", outcome[1] if outcome else "", "", "", "", "", ""],
        ["", "Estimate", "Std. Error", f"{kind} value", "p value", "Lower", "Upper"],
    ]
    stop = len(lines)
    for k, line in enumerate(lines[head + 1 :], head + 1):
        words = line.split()
        if len(words) > 6 and all(map(is_number, words[-6:])):
            rows.append([" ".join(words[:-6]), *words[-6:]])
        elif not re.fullmatch(r"\s*-+\s*", line):
            stop = k
            break
    rest = [*lines[:head], *lines[stop:]]
    robust = any(re.search(r"Covariance Type:\s*(?:HC|HAC)", line) for line in rest)
    cluster = any(re.search(r"Covariance Type:\s*cluster", line) for line in rest)
    notes = "Clustered standard errors." if cluster else "Robust standard errors." if robust else ""
    return make_grid([*rows, *_below(rest, 6)], "", f"{notes} 95 % confidence interval.".strip())


_DEPENDENT = re.compile(r"Dep\. Variable:\s*(\S+)")


def _aggregate(lines: list[str], head: int, level: str) -> Grid:
    """What ``aggte`` of the R package did prints: one effect, its error and interval.

    Its star says that the interval leaves 0 out, not that p is below a level.
    """
    words = lines[head + 1].split() if head + 1 < len(lines) else []
    rows = [["", "Estimate", "Std. Error", "Lower", "Upper"], ["ATT", *words[:4]]]
    about = [line.strip() for line in lines[head + 1 :] if re.match(r"\s*(Control|Estim)", line)]
    return make_grid(rows, "", " ".join([*about, f"{level} % confidence interval."]))


def _whole_row(line: str, heads: list[str]) -> list[str] | None:
    """A row of as many numbers as headings; those of no known kind at the end may lack."""
    known = next((k for k in range(len(heads), 0, -1) if heads[k - 1]), 0)
    row = _row(line, len(heads))
    if row is None and known < len(heads):
        row = _row(line, known)
    return None if row is None else row + [""] * (len(heads) + 1 - len(row))


def _row(line: str, width: int) -> list[str] | None:
    """Term, estimate with its mark, and the numbers beside it, `width` in all; None of others."""
    mark = _ENDS.search(line)
    words = re.sub(r"<\s+(?=\d)", "<", line[: mark.start()] if mark else line).split()
    if len(words) <= width or not all(is_number(word) for word in words[-width:]):
        return None
    stars = mark[1] if mark and mark[1] != "." else ""
    values = words[-width:]
    return [" ".join(words[:-width]), values[0] + stars, *values[1:]]


def _notes(lines: list[str]) -> str:
    """The legend and the kind of errors, as notes of a table say them."""
    return " ".join(_told(lines))


def _told(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if "Signif. codes" in line and _MARKS.search(line):
            yield ", ".join(f"{mark}: {level}" for mark, level in _MARKS.findall(line)) + "."
        elif is_legend(line) or re.search(
            r"standard[- ]errors?(?: type)?:|^(?:robust|cov\. estimator).*", line, re.IGNORECASE
        ):
            yield f"{line.strip()}."
