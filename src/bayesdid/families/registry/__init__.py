"""The one registry of families: what each is, which there are, what a study may ask of them."""
