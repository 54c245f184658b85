"""Posteriors from printed cells: covariance, synergy, network, groups, sweep, verdicts."""
