"""From results to a self-contained HTML report, CSV and LaTeX tables."""
