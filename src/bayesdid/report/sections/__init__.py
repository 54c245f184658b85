"""The parts of a report: each a function of ``results.json`` that returns blocks."""
