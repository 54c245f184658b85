"""What a spec beyond one two-way regression is turned into: one file per family."""
