"""Posteriors from printed cells: timings, inversion, contrasts, groups, sweep, verdicts."""
