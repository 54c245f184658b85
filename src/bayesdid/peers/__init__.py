"""The same designs by other people's software, and how the posteriors agree with them."""
