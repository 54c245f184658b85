"""What the labels of rows and of columns mean, by the words that tables use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from bayesdid.importing.numbers import enumerator
from bayesdid.importing.table import Part, Role

_ROLES: tuple[tuple[Role, str], ...] = (
    (
        "n",
        r"^(?:no\.?|number|num\.?|#)?\s*(?:of)?\s*(?:obs\.?|observations?|n\b|rows)(?:ervations)?"
        r"\.?$|^n(?:obs)?\.?$|^n \(|^sample size|^observations?\b|^num\.? ?obs|样本|"
        r"^beobachtungen|^observaci|^osservazioni|^observaç|"
        r"^(?:nombre d.|n[uú]mero (?:de |di )?|anzahl (?:der )?)(?:observ|osserv|beobacht)|"
        r"^观[测察][值数]|"
        r"^(?:no\. of |number of )?(?!person|patient)[a-z]+[- ](?:year|quarter|month)s?"
        r"(?: observations| obs\.?)?$|^(?!person|patient)[a-z]+-(?:week|day|wave)s?$",
    ),
    (
        "r2",
        # not expersq, exper2 or Year squared
        r"(?:(?<![^\W\d_])|adj|pseudo|within|overall|between|调整后?的?|组内|伪|拟)"
        r"(?:r[- ]?(?:\^?2|²|squared?|sq\.?)(?!\w)|r²)|^r2_[a-z]$",
    ),
    (
        "clusters",
        r"^(?:number of|no\.? of|num\.?|n\.?)\s*(?:clusters|groups|units|cities|states|"
        r"counties|firms|countries)|^clusters$|^# ?clusters",
    ),
    (
        "statistic",
        r"\bf[- ]?(?:stat|test|value)|stage f$|statistic|p[- ]?val(?:ue)?\b|p ?值|^p ?\(|^prob\b|"
        r"mean of|mean dep|"
        r"dep(?:endent)?\.? (?:var\w* )?mean|log[- ]?lik|\baic\b|\bbic\b|\brmse\b|"
        r"std\.? dev|hansen|sargan|wald|kleibergen|\bchi(?![a-z])|chi-?sq|j[- ]test|deviance|"
        r"residual std|adj|within|\bdf\b|bandwidth|^s\.?e\.? of|sigma$|"
        r"^(?:holm|fdr|fwer|bonferroni|sharpened|romano|westfall|bootstrap|wild|permutation|"
        r"randomi[sz]ation|ri)\b.*\b[pq]$|^[pq]$",
    ),
)
_FIXED = re.compile(
    r"fixed effects?|\bfes?\b|effects$|controls?\b|covariates|dummies|trends?|cluster|weight|"
    r"sample|window|standard errors|estimator|method|std\.? ?errors|vcov|s\.e\. type|"
    r"效应|控制变量|趋势|聚类|权重",
    re.IGNORECASE,
)
MEAN = re.compile(
    r"^(?:control|baseline|comparison|pre-?treatment|untreated|sample|outcome|dep\w*\.?)[\w ]* "
    r"(?:mean|average)\b|^mean (?:of|in) ",
    re.IGNORECASE,
)  # a row of means of the outcome, whatever stands below them
PANEL = re.compile(
    r"^(?:panel|part)\s+(?:[a-z]|\d{1,2}|i{1,3}|iv|vi{0,3})(?![a-z\d])\s*[.:)—–-]*\s*",
    re.IGNORECASE,
)  # the heading of rows that are columns of their own
OUTCOME = re.compile(
    r"^\s*(?:d\.?v\.?|dep\w*\.? var\w*\.?|outcome|被解释变量|因变量)\s*[:=]\s*(\S.*)$",
    re.IGNORECASE,
)  # DV: Log(Wage)
TITLE = re.compile(
    r"^\s*(?:\*\*)?(?:(?:table(?:au)?|tab\.|tabelle|tab[el]la|cuadro|panel)\s+[A-Z]?|表\s*)\d|"
    r"^\s*(?:\*\*)?table\s+[IVX]{1,5}(?![A-Za-z\d])",
    re.IGNORECASE,
)
"""The number of a table, which begins its title."""
DEPENDENT = re.compile(r"dep|outcome|explained|被解释变量|因变量", re.IGNORECASE)
"""How the label of a row begins that names outcomes."""
CONSTANT = re.compile(
    r"^(?:\(?(?:constant|intercept|_?cons|konstante|constante|costante|常数项?|截距项?)"
    r"(?: term)?\)?\.?)$",
    re.IGNORECASE,
)
_PARTS: tuple[tuple[Part, str], ...] = (
    ("lag", r"^w\s*[×*x·]|^w_|spatial lag of|^lag\.? ?w"),
    ("direct", r"^(?:average )?direct"),
    ("indirect", r"^(?:average )?indirect|^spillover effect"),
    ("total", r"^(?:average )?total(?: effect| impact|:|$)"),
    ("scalar", r"^(?:spatial )?(?:rho|ρ|lambda|λ)\b|^sigma|^σ"),
)
UNIT_EFFECTS = re.compile(
    r"(?:\b|_)(?:unit|city|state|county|country|firm|province|individual|entity|region|id|"
    r"municipal\w*|district|school|prefecture|fips|village|household|plant|establishment|bank|"
    r"hospital|store|commuting zone|tract|zip)(?:\b|_)|城市|个体|企业|公司|省份?|地区|[区县]|家庭",
    re.IGNORECASE,
)
PERIOD_EFFECTS = re.compile(
    r"(?:\b|_)(?:year|time|period|month|quarter|date|wave|week|day)(?:\b|_)|年|时间|月份?|季度",
    re.IGNORECASE,
)
INTERACTED = re.compile(
    r"\w ?[×*#^] ?\w|\w:\w| x |\w[-–—/ ]?by[-–—/ ]\w|"
    r"\b(?!year|time|month|quarter|week|day)\w{3,}[-–—](?:year|time|month|quarter|wave|week)|"
    r"\w[-–—][年时月季]",
    re.IGNORECASE,
)  # effects of each combination of two things
DESCRIPTIVE = {
    "mean": r"^(?:mean|average|avg\.?|平?均值|平均数)$",
    "sd": r"^(?:std\.?\s*dev\w*\.?|s\.?d\.?|standard deviation|stdev|std\.?|标准差)$",
    "min": r"^(?:min(?:imum)?\.?|最小值)$",
    "max": r"^(?:max(?:imum)?\.?|最大值)$",
    "n": r"^(?:n|obs\.?|observations|count|样本[量数]|观[测察][值数])$",
}
RATIO = (
    r"(?:(?:a|c|adj(?:usted|\.)?|crude|unadj(?:usted|\.)?|multivaria(?:te|ble)|univaria(?:te|ble)|"
    r"pooled|summary|overall)"
    r"[ -]?)?(?:ors?|hrs?|rrs?|irrs?|prs?|shrs?|odds[- ]ratios?|(?:sub-?)?hazards?[- ]ratios?|"
    r"(?:incidence[- ])?(?:rate|risk|prevalence)[- ]ratios?|relative risks?|"
    r"exp ?\(? ?(?:b|β|beta|coef\w*\.?) ?\)?)"
)  # what is tested against one
DIFFERENCE = (
    r"(?:(?:un)?adj(?:usted|\.)? |net |mean |triple )?(?:diff(?:erences?|\.)?[- ]in[- ]"
    r"diff(?:erences?|\.)?s?|did|dd)(?: (?:estimates?|coeff?\w*\.?|effects?))?"
)
_INTERVAL = r"(?:c\.?i\.?s?|cri|hdi|(?:conf(?:idence|\.)?|credible) ?int(?:ervals?|\.)?)"
WIDE: dict[str, str] = {
    "estimate": (
        r"^(?:unstand\w*\.?$|(?:(?:ols|iv|2sls|logit|probit|unstand\w*\.?) )?"
        rf"(?:b|β|beta|coeff?\w*\.?|estimates?|est\.?|effect|att|ame|dy/dx|"
        rf"(?:average )?marg(?:inal|\.)? eff(?:ects?|\.)|(?:回归)?系数|估计[值量]|"
        rf"{RATIO}|{DIFFERENCE})$)"
    ),
    "se": r"^(?:s\.? ?e\.?|se coeff?\.?|std\.?[\s_]*err\w*\.?|standard errors?|"
    r"\(?robust s\.?e\.?\)?|(?:聚类|稳健)*标准误差?)(?:\s*\([^()]+\))?$",
    "t": r"^(?:(?:wald )?[tz](?: ?\(\d+\))?|[tz][- ]?stat\w*\.?|[tz][- ]?(?:value|score|ratio)|"
    r"statistic|[tz] ?(?:值|统计量))$",
    "p": r"^(?:p(?:[- .]?val\w*\.?)?(?: ?\([^()]*\))?|p ?> ?\|[tz]\||pr ?\(> ?\|[tz]\|\)|"
    r"sig\.|prob\.?|p ?值)$",
    "interval": rf"^[\[(]?\s*(?:9[059]\s?%)?\s*{_INTERVAL}\s*(?:[,(]?\s*9[059]\s?%\)?)?\s*[\])]?$",
    "low": (
        r"^(?:95 ?% )?(?:(?:ci|conf)[ _.]?)?(?:lower|low|ll|llci)(?: bound| ci| 95 ?%)?$|"
        r"^2\.5 ?%$|^\[0?\.025$"
    ),
    "high": (
        r"^(?:95 ?% )?(?:(?:ci|conf)[ _.]?)?(?:upper|high|ul|ulci)(?: bound| ci| 95 ?%)?$|"
        r"^97\.5 ?%$|^0?\.975\]$"
    ),
    "n": r"^(?:n|obs\.?|n\.? ?obs\.?|num\.? ?obs\.?|observations|sample size)$",
}
MODELS = re.compile(
    r"^(?:model|analysis|specification|spec\.?|estimator|method|approach|sample|"
    r"outcome(?: var(?:iable|\.)?)?|"
    r"dep(?:endent|\.)? var(?:iable|\.)?)s?$",
    re.IGNORECASE,
)  # the corner of a table whose rows are models
SAMPLE = re.compile(
    r"^(?:(?:full|whole|entire|sub|rest of)[- ]?(?:the )?samples?|all|(?:fe)?males?|(?:wo)?men|"
    r"boys|girls|(?:non-?)?(?:urban|rural|poor|rich|soes?|minority)|(?:north|south)(?:ern)?|"
    r"(?:north|south)?(?:east|west)(?:ern)?|central|middle|private|(?:state|privately)[- ]owned|"
    r"(?:high|low|large|small|young|old|more|less)(?:er|est)?|developed|developing)"
    r"(?:[- ](?:incomes?|education|density|skills?|tech|groups?|regions?|areas?|firms?|cities|"
    r"sample|households?|countries|enterprises?))?$|"
    r"^(?:全样本|[东中西]部(?:地区)?|东北|(?:非?国有|民营|大型|中?小型|高新技术)企业|农村|男性?|女性?)$",
    re.IGNORECASE,
)  # a heading that names the rows that a column takes, not its outcome
SAMPLES = re.compile(r"heterogene|sub-?(?:samples?|groups?)", re.IGNORECASE)
SPECIFICATION = re.compile(
    r"^(?:baseline|simple|naive|main|preferred|full|full sample|ols|wls|gls|gmm|lpm|2sls|iv|fe|re|"
    r"twfe|did|dd|ddd|cs|(?:generalized |panel )?linear|mixed-effects|instrumental variables?|"
    r"negative binomial|logit|probit|tobit|heck(?:it|man)|poisson|ppml|pooled|"
    r"within|placebo|matched|"
    r"(?:un)?weighted|pop-wt|random effects?|"
    r"donut|excluding|dropping)(?:$|[\s,+(/])|^(?:pre|post)-|"
    r"^(?:no|with|without|adding|plus) \w|difference[- ]in|\bdid\b|\b(?:only|(?:un)?adjusted|"
    r"re-?weighted|bal\.|balanced|controls?|covariates?|fixed effects|fes?|trends?|"
    r"specification|robust)(?:\b|$)|\w ?[×x*] ?(?:year|month|quarter)",
    re.IGNORECASE,
)  # a heading that names how a column was estimated, not its outcome


def role_of(label: str) -> Role | None:
    """What a row of single numbers holds, by its label."""
    low = " ".join(label.lower().split())
    for role, pattern in _ROLES:
        if re.search(pattern, low):
            return role
    return None


def r2_kind_of(label: str) -> Literal["adjusted", "within", ""]:
    """Which R2 a row of R2 holds, if its label says so; ``r2_a`` and ``r2_w`` are Stata's."""
    low = label.strip().lower()
    if re.search(r"adj|调整|^r2_a$", low):
        return "adjusted"
    return "within" if re.search(r"within|组内|^r2_w$", low) else ""


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
    """Which of `patterns` each text is; errors and t also in brackets; empty where none."""
    found = []
    for text in texts:
        low = _unnoted(text).strip().lower().replace("_", " ")
        kind = next((k for k, p in patterns.items() if re.search(p, low)), "")
        if not kind and (inner := _WRAPPED.fullmatch(low)):
            kind = next((k for k in ("se", "t") if re.search(patterns.get(k, "$^"), inner[1])), "")
        found.append(kind)
    return found


def _unnoted(text: str) -> str:
    """A heading without the marks behind its words that name a note, as in ``RR* (95% CI)``."""
    return re.sub(r"(?<=[^\W\d_])[*†‡§¶#]+(?=[\s,;)\]]|$)", "", text)


_WRAPPED = re.compile(r"[(\[]([^()\[\]]+)[)\]]")


def both(text: str) -> str:
    """What stands in brackets beside an estimate, as a heading such as ``OR (95% CI)`` says."""
    text = re.sub(r"^\s*([^(\[±]+?)\s*±\s*([^±]+)$", r"\1 (\2)", _unnoted(text))
    found = re.fullmatch(r"\s*([^(\[]+?)\s*[(\[]\s*(.+?)\s*[)\]]\s*", text)
    if found is None or len(text) > 80:
        return ""
    kind = heading([found[2]], WIDE)[0]
    named = heading([found[1]], WIDE) == ["estimate"]
    if not named and not (kind == "interval" and _OF_TWO.search(found[1])):
        return ""
    return kind if kind in {"se", "t", "p", "interval"} else ""


_OF_TWO = re.compile(r"\b(?:differences?|effects?|changes?|reductions?)$", re.IGNORECASE)


def is_ratio(text: str) -> bool:
    """Whether a heading names ratios, which are tested against one."""
    return bool(re.match(rf"\s*{RATIO}\s*(?:[(\[].*)?$", _unnoted(text), re.IGNORECASE))


def is_measure(text: str) -> bool:
    """Whether a heading names what stands below it rather than an outcome or a sample."""
    return bool(both(text) or any(heading([text], WIDE)) or is_standardised(text))


_STANDARDISED = re.compile(
    r"(?:std|stand(?:ardi[sz]ed)?)\.? ?(?:β|beta|b|coeff?\w*\.?|est\w*\.?)?$|"
    r"(?:β|beta) ?\(? ?st\w*\.? ?\)?$",
    re.IGNORECASE,
)


def is_standardised(text: str) -> bool:
    """Whether a heading names standardised coefficients by a word."""
    return bool(_STANDARDISED.match(text.strip())) and not re.match(
        DESCRIPTIVE["sd"], text.strip().lower()
    )


def is_enumerated(texts: Sequence[str]) -> bool:
    """Whether header cells are the numbers of columns, from the first on."""
    found = [enumerator(text) for text in texts if text]
    differ = len(found) == 1 or len(set(found)) > 1  # a row of zeros is a base category
    return bool(found) and all(found) and found[0].rstrip("abc") in {"1", "0"} and differ
