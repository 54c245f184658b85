"""Predictive checks, influence, prior sensitivity: Check -> CheckResult."""
