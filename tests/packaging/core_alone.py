"""What the core does without any extra, and what it says when one is asked for.

`make core` runs this where only the core is installed; the test runs it in a process of its own
with every package of the extras hidden (``--hide``).
"""

import contextlib
import io
import sys
import tempfile
from importlib.machinery import PathFinder
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from bayesdid.exceptions import InputError
from bayesdid.extras import EXTRAS

ROOT = Path(__file__).parents[2]
PACKAGES = {module for modules in EXTRAS.values() for module in modules}


class Hidden(PathFinder):
    """The usual finder, to which the packages of the extras do not exist."""

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname.partition(".")[0] in PACKAGES:
            return None
        return PathFinder.find_spec(fullname, path, target)


def command(*arguments):
    """Exit code, stdout and stderr of the command line, run in this process."""
    from bayesdid.cli import console
    from bayesdid.cli.app import main

    sys.argv = ["bayesdid", *map(str, arguments)]
    out, error = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        console.console.file, console.out.file = error, out
        try:
            main()
        except SystemExit as exit_:
            code = exit_.code or 0
    return code, out.getvalue(), " ".join(error.getvalue().split())


def refusal(ask):
    """What an InputError says; empty if there was none."""
    try:
        ask()
    except InputError as error:
        return str(error)
    return ""


def uses_the_core(folder):
    """Read a study and its panel from files, fit, audit, contrast; the fit is least squares."""
    import numpy as np

    import bayesdid as bd
    from bayesdid.panel.write import write_panel

    study = bd.load_study(ROOT / "tests" / "studies" / "small")
    file = folder / "panel.csv"
    write_panel(bd.load_panel(study), study, file)
    panel = bd.read_panel(file, study)
    spec = next(iter(study.specs))
    fit = bd.fit(study[spec], panel, errors="iid", priors="flat", draws=500, seed=1)
    assert fit.converged

    design = bd.build_design(study[spec], panel)
    dummies = [np.eye(index.max() + 1)[index] for index in (design.unit_index, design.period_index)]
    beta = np.linalg.lstsq(np.column_stack([design.regressors, *dummies]), design.y)[0]
    tau = fit.tau()
    error = tau.std(axis=0) / np.sqrt(len(tau))  # independent draws
    assert (np.abs(tau.mean(axis=0) - beta[: tau.shape[1]]) < 5 * error).all()

    published = bd.load_study(ROOT / "models" / "dual_pilot")
    assert bd.audit_study(published).findings
    assert bd.published_synergy(published).contrasts

    assert command("--help")[0] == 0
    assert command("--version") == (0, f"bayesdid {version('bayesdid')}\n", "")
    assert bd.__version__ == version("bayesdid")
    size = ("--draws", 100, "--workers", 1, "--out", folder / "fits")
    code, text, error = command(
        "fit", ROOT / "tests" / "studies" / "small", "--panel", file, "--spec", spec, *size
    )
    assert code == 0, error
    assert spec in text
    return study, panel, design, file


def asks_for_extras(study, panel, design, file):
    """Whatever needs an extra says which one, and how to get it."""
    from bayesdid.families.registry.load import load_study
    from bayesdid.importing.pdf import read_pdf
    from bayesdid.panel.load import load_panel
    from bayesdid.peers.fixest import least_squares
    from bayesdid.report.html import render
    from bayesdid.spatial.weights.pysal import contiguity

    shipped = load_study(ROOT / "models" / "traffic_laws")
    for name, ask in {
        "import": lambda: read_pdf(Path("paper.pdf")),
        "peers": lambda: least_squares(design),
        "report": lambda: render({}),
        "spatial": lambda: contiguity("polygons.gpkg", "id"),
        "studies": lambda: load_panel(shipped),
    }.items():
        if all(map(find_spec, EXTRAS[name])):
            continue  # another package brought it
        text = refusal(ask)
        assert f"needs bayesdid[{name}]" in text, text
        assert f"pip install 'bayesdid[{name}]'" in text, text
    small = ROOT / "tests" / "studies" / "small"
    for words in (("report", small, "--panel", file), ("validate", small, "--panel", file)):
        code, _, error = command(*words)
        assert code == 2, error
        assert "pip install 'bayesdid[peers]'" in error, error


if __name__ == "__main__":
    if "--hide" in sys.argv:
        sys.meta_path = [Hidden if found is PathFinder else found for found in sys.meta_path]
    with tempfile.TemporaryDirectory() as name:
        asks_for_extras(*uses_the_core(Path(name)))
    sys.stdout.write("the core works alone\n")
