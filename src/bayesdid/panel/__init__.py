"""Reading and validating panels; adoption, states, arms; simulation with known truth."""
