"""From published tables in a file to a draft study: cells, alignment, claims, doubts."""
