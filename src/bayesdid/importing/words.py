"""What the labels of rows and of columns mean, by the words that tables use."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bayesdid.importing.numbers import enumerator
from bayesdid.importing.table import Part, Role

_ROLES: tuple[tuple[Role, str], ...] = (
    (
        "n",
        r"^(?:no\.?|number|num\.?|#)?\s*(?:of)?\s*(?:obs\.?|observations?|n\b|rows)(?:ervations)?"
        r"\.?$|^n(?:obs)?\.?$|^n \(|^sample size|^observations?\b|^num\.? ?obs|样本",
    ),
    ("r2", r"r[- ]?(?:\^?2|²|squared?|sq\.?)\b|^r²|r2$|r²"),
    (
        "clusters",
        r"^(?:number of|no\.? of|num\.?|n\.?)\s*(?:clusters|groups|units|cities|states|"
        r"counties|firms|countries)|^clusters$|^# ?clusters",
    ),
    (
        "statistic",
        r"\bf[- ]?(?:stat|test|value)|statistic|p[- ]?value|p\(f|mean of|mean dep|"
        r"dep(?:endent)?\.? (?:var\w* )?mean|log[- ]?lik|\baic\b|\bbic\b|\brmse\b|"
        r"std\.? dev|hansen|sargan|wald|kleibergen|chi|j[- ]test|deviance|"
        r"residual std|adj|within|\bdf\b|bandwidth|^s\.?e\.? of|sigma$",
    ),
)
_FIXED = re.compile(
    r"fixed effects?|\bfes?\b|effects$|controls?\b|covariates|dummies|trends?|cluster|weight|"
    r"sample|window|standard errors|estimator|method|std\.? ?errors|vcov|s\.e\. type",
    re.IGNORECASE,
)
CONSTANT = re.compile(r"^(?:\(?(?:constant|intercept|_?cons)\)?\.?)$", re.IGNORECASE)
_PARTS: tuple[tuple[Part, str], ...] = (
    ("lag", r"^w\s*[×*x·]|^w_|spatial lag of|^lag\.? ?w"),
    ("direct", r"^(?:average )?direct"),
    ("indirect", r"^(?:average )?indirect|^spillover effect"),
    ("total", r"^(?:average )?total(?: effect| impact|$)"),
    ("scalar", r"^(?:spatial )?(?:rho|ρ|lambda|λ)\b|^sigma|^σ"),
)
UNIT_EFFECTS = re.compile(
    r"\b(?:unit|city|state|county|country|firm|province|individual|entity|region|id|municipal\w*|"
    r"district|school|prefecture|fips)\b",
    re.IGNORECASE,
)
PERIOD_EFFECTS = re.compile(
    r"\b(?:year|time|period|month|quarter|date|wave|week|day)\b", re.IGNORECASE
)
DESCRIPTIVE = {
    "mean": r"^(?:mean|average|avg\.?)$",
    "sd": r"^(?:std\.?\s*dev\w*\.?|s\.?d\.?|standard deviation|stdev|std\.?)$",
    "min": r"^min(?:imum)?\.?$",
    "max": r"^max(?:imum)?\.?$",
    "n": r"^(?:n|obs\.?|observations|count)$",
}
WIDE: dict[str, str] = {
    "estimate": r"^(?:b|β|coef\w*\.?|estimate|est\.?|effect|att)$",
    "se": r"^(?:s\.?e\.?|std\.?\s*err\w*\.?|standard error|\(?robust s\.?e\.?\)?)$",
    "t": r"^(?:t|z|t[- ]?stat\w*|t[- ]?value|z[- ]?value)$",
    "p": r"^(?:p|p[- ]?value|p>\|[tz]\||pr\(>\|[tz]\|\))$",
    "interval": r"^(?:95 ?%)?\s*(?:c\.?i\.?|confidence interval)$",
}


def role_of(label: str) -> Role | None:
    """What a row of single numbers holds, by its label."""
    low = " ".join(label.lower().split())
    for role, pattern in _ROLES:
        if re.search(pattern, low):
            return role
    return None


def is_flag(label: str) -> bool:
    """Whether a row's label is of what a column contains: effects, controls, weights."""
    return bool(_FIXED.search(label))


def part_of(label: str) -> Part:
    """Which kind of coefficient a row of estimates holds."""
    low = " ".join(label.lower().split())
    for part, pattern in _PARTS:
        if re.search(pattern, low):
            return part
    return "coefficient"


def heading(texts: Sequence[str], patterns: dict[str, str]) -> list[str]:
    """Which of `patterns` each text is; empty where none."""
    return [
        next((k for k, p in patterns.items() if re.search(p, text.strip().lower())), "")
        for text in texts
    ]


def is_enumerated(texts: Sequence[str]) -> bool:
    """Whether header cells are the numbers of columns, from the first on."""
    found = [enumerator(text) for text in texts if text]
    return bool(found) and all(found) and found[0].rstrip("abc") in {"1", "0"}
