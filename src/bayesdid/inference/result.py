"""One result for every model: a posterior, what it is a posterior of, and whether to trust it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.treated import few_units_text, first_of
from bayesdid.escape import html
from bayesdid.exceptions import Note, ResultError
from bayesdid.inference.failure import failure
from bayesdid.inference.first_stage import first_stage_text
from bayesdid.inference.longer import taken_words
from bayesdid.inference.quantities import consequences, quantities
from bayesdid.inference.standing import OF_ROWS_BESIDE
from bayesdid.model.bound import BoundModel
from bayesdid.summary import chance, hdi, percent, reach, significant

NOT_CONVERGED = "NOT CONVERGED: no result"
SHOWN = 8  # treatments that a summary shows; tidy() has them all


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model. All it knows stands in its tree, so that a file of the tree is the fit.

    Attributes
    ----------
    tree
        ArviZ DataTree: ``posterior`` with the treatments' coefficients as ``tau`` (treatment),
        ``beta`` (covariate), ``alpha``, effects, scales; of spatial models also ``theta`` (lag),
        ``rho`` and ``effects`` (term, effect), of mediation ``a``, ``b``, ``indirect``, ``total``;
        ``observed_data``, ``constant_data``;
        ``beside`` with the i.i.d. and the sandwich posterior of the treatments, where they exist;
        ``sample_stats`` where a chain ran. The attributes are its provenance.
    bound
        The model and the data that it is of, which checks need beside the draws; None if only the
        tree was read from a file.
    """

    tree: xr.DataTree
    bound: BoundModel | None = field(default=None, repr=False, compare=False)

    @property
    def converged(self) -> bool:
        """Whether the convergence gate passed."""
        return bool(self.tree.attrs["converged"])

    @property
    def not_converged(self) -> str:
        """Why there is no result and what to do, in one line; empty if the gate passed."""
        if self.converged:
            return ""
        why = failure(self.tree)
        return f"{NOT_CONVERGED} ({why})" if why else NOT_CONVERGED

    @property
    def spec_id(self) -> str:
        """The spec that was fitted."""
        return str(self.tree.attrs["spec"])

    @property
    def treatments(self) -> tuple[str, ...]:
        """Names of the treatment terms."""
        return tuple(str(name) for name in self.tree["posterior"]["treatment"].to_numpy())

    @property
    def synthetic(self) -> str:
        """Why the panel is synthetic, or empty."""
        return str(self.tree.attrs["synthetic"])

    @property
    def equation(self) -> str:
        """The model as plain text."""
        return str(self.tree.attrs.get("equation", ""))

    @property
    def treated_units(self) -> dict[str, int]:
        """Number of units in which each treatment term tells on and off apart."""
        counts = json.loads(self.tree.attrs.get("treated_units", "[]"))
        return dict(zip(self.treatments, counts, strict=False))

    def tau(self, term: str | None = None) -> FloatArray:
        """Draws of the treatments' coefficients, shape (S, P), or of one term, shape (S,).

        Raises
        ------
        ResultError
            If the fit did not converge.
        """
        self.require()
        values = self.tree["posterior"]["tau"]
        values = values if term is None else values.sel(treatment=term)
        draws = values.to_numpy()
        return np.asarray(draws.reshape(-1, *draws.shape[2:]))

    def require(self) -> Fit:
        """Itself, if it converged.

        Raises
        ------
        ResultError
            Naming what failed, otherwise.
        """
        if not self.converged:
            why = failure(self.tree) or "as its tree says"
            raise ResultError(f"{self.spec_id}: the fit did not converge ({why})")
        return self

    def tidy(self, level: float | None = None) -> pd.DataFrame:
        """One row for each coefficient, and for effects that several make together.

        Indexed by term: a treatment, a covariate, ``W x``, a ring, a mediator, ``m ~ x`` for x in
        the equation of m, ``rho``; ``x: direct``, ``x: indirect`` and ``x: total`` of a spatial
        model, ``x through m`` and ``x: total`` of mediation.

        Columns ``mean``, ``sd``, ``median``, ``low``, ``high`` (highest-density interval at
        ``level``), ``level``, ``p_negative``, ``p_positive``, ``mcse``, ``ess``, in the outcome's
        units; all missing if the fit did not converge, and ``attrs["not_converged"]`` says why.
        """
        rows = {name: self._row(draws, level) for name, draws in quantities(self.tree)}
        found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("term")
        if not self.converged:
            found.attrs["not_converged"] = self.not_converged
        return found

    def _row(self, draws: FloatArray, level: float | None) -> dict[str, float]:
        flat, ess = draws.ravel(), self._ess(draws)
        interval = hdi(flat, level)
        row = {
            "mean": float(flat.mean()),
            "sd": float(flat.std(ddof=1)),
            "median": float(np.median(flat)),
            "low": interval.low,
            "high": interval.high,
            "level": interval.level,
            "p_negative": float((flat < 0).mean()),
            "p_positive": float((flat > 0).mean()),
            "mcse": float(flat.std(ddof=1) / np.sqrt(ess)),
            "ess": ess,
        }
        return row if self.converged else dict.fromkeys(row, float("nan"))

    def _ess(self, draws: FloatArray) -> float:
        """Effective sample size of the mean; independent draws have their number."""
        if self.tree.attrs.get("independent", 0):
            return float(draws.size)
        import arviz_stats as az

        return float(az.ess(draws, method="mean"))

    def beside(self, level: float | None = None) -> pd.DataFrame:
        """The i.i.d. and the sandwich (clustered by unit) posterior of each treatment.

        Of counts quasi-likelihood, with a dispersion of its own and clustered, see
        :mod:`bayesdid.inference.exact.quasi`.

        Indexed by (treatment, errors) with columns ``mean``, ``sd`` and ``low``, ``high`` of the
        normal with these moments; empty where the model has no such counterpart.
        """
        if "beside" not in self.tree.children:
            empty = pd.MultiIndex.from_tuples([], names=["treatment", "errors"])
            return pd.DataFrame(columns=["mean", "sd", "low", "high"], index=empty, dtype=float)
        data = self.tree["beside"].to_dataset()
        frame = data[["mean", "sd"]].to_dataframe().reorder_levels(["treatment", "errors"])
        half = reach(level) * frame["sd"]
        return frame.assign(low=frame["mean"] - half, high=frame["mean"] + half)

    @property
    def beside_notes(self) -> list[Note]:
        """What the rows beside show of the model: dispersion, a gap, clusters of no row."""
        found = json.loads(self.tree.attrs["notes"])
        return [Note(*note) for note in found if note[0] in OF_ROWS_BESIDE]

    def summary(self, level: float | None = None) -> str:
        """Ten lines: what was fitted, to what, under which errors, and the treatments' effects."""
        a = self.tree.attrs
        lines = [
            f"{a['spec']}: {a['outcome']} on {first_of(self.treatments, SHOWN)}",
            f"{a['likelihood']} likelihood; errors: {a['errors']}; effects: {a['effects']}; "
            f"priors: {a['prior_choice']}",
            f"{a['n']} rows, {a['units']} {a['unit_dim']}, {a['periods']} {a['period_dim']}",
            *self._spatial(),
            *(f"note: {text}" for _, _, text in json.loads(a["notes"])),
            *few_units_text(self.treated_units, a["units"], a.get("tied", ""), level),
            *([f"SYNTHETIC PANEL: {self.synthetic}"] if self.synthetic else []),
            f"engine {a['engine']}, {a['chains']} x {a['draws']} draws{taken_words(self.tree)}, "
            f"seed {a['seed']}",
        ]
        if not self.converged:
            return "\n".join([*lines, self.not_converged])
        more = len(self.treatments) - SHOWN
        rest = [f"and {more} more terms, see tidy()"] if more > 0 else []
        rest += first_stage_text(self.tree)
        return "\n".join([*lines, self._effects(level).to_string(), *rest])

    def _spatial(self) -> list[str]:
        """Which spatial model, over which weights."""
        a = self.tree.attrs
        kind = str(a.get("spatial_kind", ""))
        return [f"{kind.upper()} over W: {a['spatial_weights']}"] if kind else []

    def _effects(self, level: float | None) -> pd.DataFrame:
        """The treatments' rows as people read them, the rows beside them below each."""
        tidy, other = self.tidy(level), self.beside(level)
        own = self.tree.attrs["errors_name"]

        def shown(term: str, errors: str, row: pd.Series) -> tuple[str, ...]:
            p = chance(row["p_negative"]) if "p_negative" in row else ""
            mean, sd, low, high = (significant(row[name]) for name in ("mean", "sd", "low", "high"))
            return term, errors, mean, sd, f"{low} to {high}", p

        rows = []
        for term in self.treatments[:SHOWN]:
            rows.append(shown(term, own, tidy.loc[term]))
            if term in other.index.get_level_values(0):
                rows += [shown("", str(name), row) for name, row in other.loc[term].iterrows()]
        rows += [shown(name, own, tidy.loc[name]) for name, _ in consequences(self.tree)]
        columns = ["term", "errors", "mean", "sd", f"{percent(level)} HDI", "P(< 0)"]
        return pd.DataFrame(rows, columns=columns).set_index(["term", "errors"])

    def __repr__(self) -> str:
        return f"<Fit of {self.summary()}>"

    def arviz(self) -> xr.DataTree:
        """The tree with what each unit, period or other level has of its own in a group ``levels``.

        So ``az.summary(fit.arviz())``, ``az.plot_trace_dist`` and their like show coefficients and
        scales without ``var_names``. `tree` has everything in ``posterior``, as the model says it.
        """
        posterior, a = self.tree["posterior"].to_dataset(), self.tree.attrs
        levels = {a["unit_dim"], a["period_dim"], *json.loads(a.get("level_dims", "[]"))}
        own = [name for name, values in posterior.items() if levels & {*values.dims}]
        groups = {name: node.to_dataset() for name, node in self.tree.children.items()}
        groups |= {"posterior": posterior.drop_vars(own), "levels": posterior[own]}
        found = xr.DataTree.from_dict({f"/{name}": data for name, data in groups.items()})
        found.attrs = dict(a)
        return found

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        """Coefficients as maketables reads them: ``b`` mean, ``se`` posterior sd, no p, no stars.

        ``low``, ``high`` and ``p_negative`` can be named in its ``coef_fmt``.
        """
        tidy = self.require().tidy().rename(columns={"mean": "b", "sd": "se"})
        return tidy.assign(t=np.nan, p=np.nan).rename_axis("Coefficient")

    @property
    def __maketables_depvar__(self) -> str:
        return str(self.tree.attrs["outcome"])

    @property
    def __maketables_fixef_string__(self) -> str | None:
        """Effects as maketables takes them apart, ``sid+year``; a random one is one of them."""
        return "+".join(json.loads(self.tree.attrs.get("effect_names", "[]"))) or None

    def __maketables_stat__(self, key: str) -> float | str | None:
        """``N``, and any attribute of the tree: ``errors``, ``units``, ``prior_choice`` ..."""
        a = self.tree.attrs
        return a["n"] if key == "N" else a.get(key)

    def _repr_html_(self) -> str:
        head, _, _ = self.summary().partition("\nengine ")
        why = f"<strong>{html(self.not_converged)}</strong>"
        body = self._effects(None).to_html() if self.converged else why
        return f"<div><pre>{html(head)}</pre>{body}</div>"
