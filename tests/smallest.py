"""The smallest study that loads, as a user writes it."""

STUDY = """
[study]
id = "s"
title = "t"
citation = "c"
[outcome]
column = "y"
label = "y"
unit = "u"
[panel]
unit = "unit"
period = "year"
[[policy]]
id = "p"
label = "P"
adoption = "py"
"""


def study_with(
    panel: str = "",
    after: str = "",
    *,
    unit: str = "unit",
    period: str = "year",
    policy: str = 'adoption = "py"',
) -> str:
    """The smallest study with more lines in ``[panel]`` and after it, and other columns.

    Parameters
    ----------
    unit, period
        Columns of the panel.
    policy
        The line that says where adoption stands.
    """
    text = STUDY.replace('unit = "unit"', f'unit = "{unit}"').replace('adoption = "py"', policy)
    line = f'period = "{period}"\n'
    return text.replace('period = "year"\n', line + panel.lstrip("\n")) + after.lstrip("\n")
