"""Published numbers against each other, with rounding intervals."""
