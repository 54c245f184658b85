"""Evaluate a compiled model at natural values of its parameters."""

import numpy as np
import pytensor
from pymc.model.transform.conditioning import remove_value_transforms

MODE = pytensor.compile.Mode(linker="py", optimizer=None)


def log_density(model, seed=0, fixed=None):
    """``(log density, values by name)`` at a random point, deterministic variables included.

    Values lie where every parameter of these models may lie: (0.2, 0.9).
    """
    rng = np.random.default_rng(seed)
    plain = remove_value_transforms(model)
    names = [plain.values_to_rvs[value].name for value in plain.value_vars]
    shapes = model.eval_rv_shapes()
    point = {name: rng.uniform(0.2, 0.9, shapes[name]) for name in names} | (fixed or {})
    extra = plain.replace_rvs_by_values(plain.deterministics)
    function = pytensor.function(
        plain.value_vars, [plain.logp(jacobian=False), *extra], mode=MODE, on_unused_input="ignore"
    )
    values = function(*[np.asarray(point[name], dtype=float) for name in names])
    known = dict(zip([d.name for d in plain.deterministics], values[1:], strict=True))
    return float(values[0]), point | known
