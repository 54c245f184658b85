"""Named contrasts of policy states: from a fitted panel, or from published cells alone."""
