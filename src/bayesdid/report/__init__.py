"""Self-contained report: content, figures, pages, tables."""
