"""An exact engine and the compiled model give one posterior, in every variable of it."""

import numpy as np

LIMIT = 5.0  # standard errors of a mean: exceeded once in two million comparisons


def same_posterior(ours, theirs, *, but=()):
    """Names and dimensions, means, spread and, where both have them, densities of the rows.

    Parameters
    ----------
    ours, theirs
        Fits by an exact engine, or one of blocks, and by chains of gradients.
    but
        Variables without moments.
    """
    import arviz as az

    one, other = ours.tree["posterior"], theirs.tree["posterior"]
    assert set(one.data_vars) == set(other.data_vars)
    for name in one.data_vars:
        assert set(one[name].dims) == set(other[name].dims), name
        if name in but:
            continue
        chain = other[name].transpose(*one[name].dims)
        x, y = (v.to_numpy().reshape(-1, int(np.prod(v.shape[2:]))) for v in (one[name], chain))
        moves = x.std(axis=0) > 1e-9 * (1 + abs(x.mean(axis=0)))
        assert np.allclose(x[:, ~moves].mean(axis=0), y[:, ~moves].mean(axis=0), atol=1e-6), name
        if not moves.any():
            continue
        x, y = x[:, moves], y[:, moves]
        size, spread, own, own_spread = (
            az.ess(draws.to_dataset(name="v"), method=m)["v"].to_numpy().ravel()[moves]
            for draws in (chain, one[name])
            for m in ("mean", "sd")
        )
        error = np.sqrt(y.var(axis=0) / size + x.var(axis=0) / own)
        assert (abs(x.mean(axis=0) - y.mean(axis=0)) < LIMIT * error).all(), name
        kurtosis = ((x - x.mean(axis=0)) ** 4).mean(axis=0) / x.var(axis=0) ** 2
        error = np.sqrt((kurtosis - 1) / 4 * (1 / spread + 1 / own_spread))
        assert (abs(np.log(y.std(axis=0) / x.std(axis=0))) < LIMIT * error).all(), name
    if "log_likelihood" in ours.tree and "log_likelihood" in theirs.tree:
        for name in ours.tree["log_likelihood"].data_vars:
            totals = [f.tree["log_likelihood"][name].sum("obs") for f in (ours, theirs)]
            error = np.hypot(
                *(
                    float(
                        total.std()
                        / np.sqrt(az.ess(total.to_dataset(name="v"), method="mean")["v"])
                    )
                    for total in totals
                )
            )
            assert abs(float(totals[0].mean() - totals[1].mean())) < LIMIT * error, name
