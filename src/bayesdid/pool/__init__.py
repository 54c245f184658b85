"""One contrast over many studies: a hierarchical meta-analysis of printed effects."""
