"""Planted faults: each a small change of the source that narrow tests have to find out.

`old` stands exactly once in `file`; `new` takes its place in a copy of the source, never in the
source itself. A fault is caught if one of `tests` fails, and a hole in the tests if none does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted fault.

    Attributes
    ----------
    name
        What to call it on the command line.
    file
        Path below src/bayesdid.
    old, new
        Text that stands once in the file, and what replaces it.
    meaning
        What would be wrong of what users read, in words.
    tests
        Identifiers below tests/ that pytest takes; at least one of them fails.
    """

    name: str
    file: str
    old: str
    new: str
    meaning: str
    tests: tuple[str, ...]


SUMMARY = "test_summary.py::"
PUBLISHED = "published/test_published.py::"
FUNCTIONAL = "published/test_functional.py::"
INVERSION = "published/test_inversion.py::"
HOLES = "mutants/test_holes.py::"
FIT = "inference/test_fit.py::"
FEW = "estimands/test_few_treated.py::"
WORDS = "families/test_words.py::"

MUTANTS = (
    # 1. Words and probabilities
    Mutant(
        "verdict-sign",
        "published/contrasts.py",
        "holds = values < 0 if lower else values > 0",
        "holds = values > 0 if lower else values < 0",
        "the probability of a claim from published columns is that of its opposite",
        (PUBLISHED + "test_a_claim_is_better_where_the_outcome_is_meant_to_go",),
    ),
    Mutant(
        "verdict-word",
        "estimands/verdict.py",
        '        return "contradicted"',
        '        return "supported"',
        "a claim that the evidence contradicts is called supported",
        (PUBLISHED + "test_words_follow_the_probabilities",),
    ),
    Mutant(
        "verdict-fragile",
        "published/verdict.py",
        "p, (low, high) = contrast.p_claim[MAIN], contrast.range",
        "p = low = high = contrast.p_claim[MAIN]",
        "a published verdict forgets the assumptions under which it falls",
        (HOLES + "test_a_published_verdict_ranges_over_its_assumptions",),
    ),
    Mutant(
        "claim-better",
        "estimands/contrasts.py",
        'return float((draws < 0).mean() if better == "lower" else (draws > 0).mean())',
        'return float((draws < 0).mean() if better == "higher" else (draws > 0).mean())',
        "`better` is read the wrong way round: P(< 0) becomes P(> 0) in a synergy claim",
        (HOLES + "test_a_claim_is_the_share_of_draws_in_its_direction",),
    ),
    Mutant(
        "ratio-inverted",
        "estimands/contrasts.py",
        "RATIO: both / effects.sum(axis=0)",
        "RATIO: effects.sum(axis=0) / both",
        "the ratio of both to the sum of the singles is upside down",
        (HOLES + "test_contrasts_of_known_states",),
    ),
    Mutant(
        "best-single",
        "estimands/contrasts.py",
        'best = effects.min(axis=0) if better == "lower" else effects.max(axis=0)',
        'best = effects.max(axis=0) if better == "lower" else effects.min(axis=0)',
        "both policies are compared with the worse single one",
        (HOLES + "test_contrasts_of_known_states",),
    ),
    Mutant(
        "order-of-adoption",
        "estimands/contrasts.py",
        'gap = state[f"both, {orders[0]}"] - state[f"both, {orders[1]}"]',
        'gap = state[f"both, {orders[1]}"] - state[f"both, {orders[0]}"]',
        "first:a - first:b is first:b - first:a",
        (HOLES + "test_contrasts_of_known_states",),
    ),
    Mutant(
        "sequence-swapped",
        "design/overlap.py",
        "start[:, 0] > start[:, 1]], [0, 1]",
        "start[:, 0] > start[:, 1]], [1, 0]",
        "units that adopted a first are said to have adopted b first",
        (HOLES + "test_states_name_the_policy_that_came_first",),
    ),
    Mutant(
        "answer-inverted",
        "report/html.py",
        'more = (mean < 0) == (outcome["better"] == "lower")',
        'more = (mean < 0) == (outcome["better"] == "higher")',
        "the page's first sentence says more for less",
        ("report/test_report.py::test_answer_turns_with_the_sign",),
    ),
    Mutant(
        "weak-instrument",
        "families/iv_second/analysis.py",
        "if peer.F < WEAK_F",
        "if peer.F > WEAK_F",
        "a weak instrument is called strong, a strong one weak",
        (HOLES + "test_an_instrument_is_called_weak_below_ten",),
    ),
    Mutant(
        "endogenous",
        "families/iv_second/analysis.py",
        "if interval.excludes_zero",
        "if not interval.excludes_zero",
        "a treatment is called endogenous where nothing says so",
        (HOLES + "test_an_instrument_is_needed_where_errors_correlate",),
    ),
    Mutant(
        "moderator-direction",
        "families/moderation/analysis.py",
        "p_good = (effect < 0 if lower else effect > 0).mean(axis=0)",
        "p_good = (effect > 0 if lower else effect < 0).mean(axis=0)",
        "the Johnson-Neyman region is that of the opposite sign",
        (HOLES + "test_the_region_of_a_moderator_is_where_the_effect_has_its_sign",),
    ),
    Mutant(
        "moderator-sentence",
        "families/moderation/analysis.py",
        "p_interaction = (tau[:, 1] < 0).mean()",
        "p_interaction = (tau[:, 1] > 0).mean()",
        "P(< 0) of an interaction is P(> 0)",
        (HOLES + "test_the_region_of_a_moderator_is_where_the_effect_has_its_sign",),
    ),
    Mutant(
        "linearity-words",
        "families/moderation/analysis.py",
        "if linear_p < 0.05 else",
        "if linear_p > 0.05 else",
        "bins on a line are said not to lie on one",
        (HOLES + "test_the_region_of_a_moderator_is_where_the_effect_has_its_sign",),
    ),
    Mutant(
        "forbidden-share",
        "families/cohort/analysis.py",
        'share = parts.weight["forbidden"]',
        'share = parts.weight["never"]',
        "the share of forbidden comparisons is that of clean ones",
        (HOLES + "test_forbidden_comparisons_have_their_share_and_their_warning",),
    ),
    Mutant(
        "forbidden-warning",
        "families/cohort/analysis.py",
        "if share < 0.1",
        "if share > 0.1",
        "forbidden comparisons are called small where they are large",
        (HOLES + "test_forbidden_comparisons_have_their_share_and_their_warning",),
    ),
    Mutant(
        "confounding-words",
        "families/mediation/analysis.py",
        "if abs(zero.mean()) < 0.1",
        "if abs(zero.mean()) > 0.1",
        "robust mediation is called fragile",
        (HOLES + "test_a_mediation_that_little_would_undo_says_so",),
    ),
    Mutant(
        "helpful-sign",
        "estimands/boundary.py",
        'return -theta if better == "lower" else theta',
        'return theta if better == "lower" else -theta',
        "spillovers that help are said to harm",
        ("estimands/test_boundary.py::test_first_boundary_goes_from_help_to_harm_and_second_back",),
    ),
    Mutant(
        "permutation-words",
        "estimands/few_treated.py",
        'zero = "excludes" if self.excludes_zero else "holds"',
        'zero = "holds" if self.excludes_zero else "excludes"',
        "a permutation interval around zero is said to exclude it",
        (FEW + "test_the_words_are_those_of_the_numbers",),
    ),
    Mutant(
        "check-inverted",
        "checks/predictive.py",
        "passed = bool(p >= limit)",
        "passed = bool(p < limit)",
        "a model passes the checks that it fails",
        ("checks/test_checks.py::test_serial_correlation_is_found",),
    ),
    Mutant(
        "average-zero-sd",
        "peers/staggered.py",
        "abs(estimate) / spread if",
        "spread / abs(estimate) if",
        "the sd at which the average effect could be zero is its reciprocal",
        (WORDS + "test_the_sd_at_which_the_average_effect_could_be_zero",),
    ),
    Mutant(
        "clear-difference",
        "estimands/spread.py",
        "return self.p_small <= 1 - SURE",
        "return self.p_small > 1 - SURE",
        "effects that do not clearly differ are said to",
        (WORDS + "test_effects_differ_clearly_only_where_a_small_sd_is_improbable",),
    ),
    Mutant(
        "sign-not-established",
        "families/event_study/analysis.py",
        "if grid[0] < SURE:",
        "if grid[0] >= SURE:",
        "an effect whose sign is established is said to have none under parallel trends",
        (WORDS + "test_a_sign_that_is_not_established_has_no_breakdown_value",),
    ),
    Mutant(
        "imputation-unbalanced",
        "families/cohort/analysis.py",
        "exact = cells.design.is_balanced  #",
        "exact = True  #",
        "cells must equal imputation in unbalanced panels too, where they are another estimator",
        (WORDS + "test_imputation_has_to_be_equal_in_balanced_panels_alone",),
    ),
    Mutant(
        "p-bound",
        "summary.py",
        'return f"p <= {p:.3g}" if p <=',
        'return f"p <= {p:.3g}" if p >',
        "a p-value that is only a bound is said to be known",
        (WORDS + "test_placebos_give_a_bound_where_none_is_as_large",),
    ),
    Mutant(
        "reproduced-digit",
        "peers/agreement.py",
        "elif digits == places:",
        "elif digits != places:",
        "a coefficient that is reproduced is said not to be",
        (
            "peers/test_agreement.py::"
            "test_it_is_said_whether_a_printed_coefficient_is_reproduced_and_to_which_digit",
        ),
    ),
    Mutant(
        "random-peer",
        "inference/plan.py",
        'return {"flat": "flat", "random": "iid"}',
        'return {"flat": "flat", "fixed": "iid"}',
        "random effects that were published are taken for fixed ones, and an identity fails",
        (
            "peers/test_agreement.py::"
            "test_a_spec_published_with_random_effects_is_compared_with_the_right_peer",
        ),
    ),
    Mutant(
        "favoured-model",
        "families/sdm/output.py",
        "if len(set(names.values())) > 1:",
        "if len(set(names.values())) == 1:",
        "a choice of model that depends on the prior is said not to",
        (WORDS + "test_which_model_the_data_favour_is_said_to_depend_on_the_prior_where_it_does",),
    ),
    Mutant(
        "opposite-signs",
        "families/mediation/analysis.py",
        "np.median(found.direct) < 0:",
        "np.median(found.direct) > 0:",
        "a proportion mediated is printed where direct and indirect effects are opposite",
        (
            WORDS
            + "test_a_proportion_mediated_is_one_only_if_signs_agree_and_the_total_is_established",
        ),
    ),
    Mutant(
        "too-sure",
        "families/under_errors.py",
        "(draws > _CORRELATED)",
        "(draws < _CORRELATED)",
        "independent errors are warned of where errors do not correlate, and only there",
        (
            "families/test_under_errors.py::"
            "test_the_sentence_says_the_errors_their_correlation_and_the_effect_under_iid_ones",
        ),
    ),
    Mutant(
        "evidence-word",
        "estimands/evidence.py",
        "if low >= least:",
        "if high >= least:",
        "evidence under one prior is said to be evidence under every one",
        (WORDS + "test_bayes_factors_have_their_word",),
    ),
    Mutant(
        "part-label",
        "model/overlap.py",
        'clock = "second"',
        'clock = "first"',
        "steps of the synergy are said to be along another clock",
        (WORDS + "test_labels_of_parts_are_those_of_their_columns",),
    ),
    Mutant(
        "averaging-note",
        "estimands/synergy.py",
        "contrasts average over rows, not over units",
        "contrasts average over units, not over rows",
        "averages over rows are said to be over units",
        ("estimands/test_synergy.py::test_the_note_on_averaging_is_true_of_the_weights",),
    ),
    Mutant(
        "rules-of-words",
        "estimands/verdict.py",
        "fragile means not under {assumptions}, only under the main one",
        "fragile means under {assumptions}, not under the main one",
        "the rule beside the verdicts is not that of the verdicts",
        (PUBLISHED + "test_the_rules_of_words_are_those_that_choose_them",),
    ),
    Mutant(
        "coverage-sentence",
        "report/validity.py",
        "KNOWN if timings == 1 else DRAWN",
        "DRAWN if timings == 1 else KNOWN",
        "coverage with known timing stands beside an answer whose timing is drawn",
        (
            "statistical/test_synergy_calibration.py::"
            "test_the_sentences_have_the_numbers_and_name_the_document",
        ),
    ),
    # 2. Intervals, levels, evidence
    Mutant(
        "half-width-doubled",
        "summary.py",
        "return float(norm.ppf(0.5 + _level(level) / 2))",
        "return 2 * float(norm.ppf(0.5 + _level(level) / 2))",
        "closed-form intervals are twice as wide as their level",
        (SUMMARY + "test_every_kind_of_interval_holds_its_level",),
    ),
    Mutant(
        "level-bypassed",
        "summary.py",
        "    level = _level(level)\n    ordered",
        "    level = 0.89 if level is None else level\n    ordered",
        "highest-density intervals keep 89 % when the level is changed",
        (HOLES + "test_intervals_that_name_no_level_have_the_one_constant",),
    ),
    Mutant(
        "central-for-hdi",
        "summary.py",
        "start = int(width.argmin())",
        "start = (len(ordered) - inside) // 2",
        "highest-density intervals are central ones",
        (HOLES + "test_a_highest_density_interval_is_the_shortest",),
    ),
    Mutant(
        "p-negative",
        "summary.py",
        "p_negative=float((draws < 0).mean())",
        "p_negative=float((draws > 0).mean())",
        "P(< 0) in every summary is P(> 0)",
        (PUBLISHED + "test_hdi_of_a_normal",),
    ),
    Mutant(
        "band-pointwise",
        "summary.py",
        "np.abs((draws - mean) / sd).max(axis=1)",
        "np.abs((draws - mean) / sd).mean(axis=1)",
        "the simultaneous band holds single quantities only",
        (SUMMARY + "test_summaries_bands_and_paths_follow_the_level",),
    ),
    Mutant(
        "bayes-factor",
        "estimands/evidence.py",
        "norm.logpdf(0.0, 0.0, prior_sd) - norm.logpdf(0.0, mean, max(sd, 1e-12))",
        "norm.logpdf(0.0, mean, max(sd, 1e-12)) - norm.logpdf(0.0, 0.0, prior_sd)",
        "Bayes factors for an effect are those against it",
        (PUBLISHED + "test_savage_dickey_equals_the_ratio_of_marginal_likelihoods",),
    ),
    Mutant(
        "type-s",
        "estimands/evidence.py",
        "wrong = np.where(truth > 0, below, above)",
        "wrong = np.where(truth > 0, above, below)",
        "the probability of a wrong sign is that of the right one",
        (PUBLISHED + "test_design_errors_by_simulation",),
    ),
    Mutant(
        "flat-pre-trend",
        "estimands/event_study.py",
        "chi2.sf(distance",
        "chi2.cdf(distance",
        "the tail area of a flat pre-trend is one minus itself",
        (HOLES + "test_a_steep_pre_trend_has_a_small_tail_area",),
    ),
    Mutant(
        "placebo-plus-one",
        "checks/placebo.py",
        "(self.as_large + 1) / (len(self.mean) + 1)",
        "self.as_large / len(self.mean)",
        "a placebo p-value can be zero",
        (HOLES + "test_the_actual_assignment_counts_among_the_placebos",),
    ),
    Mutant(
        "permutation-plus-one",
        "estimands/permutation.py",
        "return float((size >= size[0] * (1 - 1e-9)).mean())",
        "return float((size[1:] >= size[0] * (1 - 1e-9)).mean())",
        "the actual assignment does not count among the permutations",
        (FEW + "test_the_interval_is_that_of_brute_force",),
    ),
    Mutant(
        "few-treated-limit",
        "design/treated.py",
        "FEW = 5",
        "FEW = 1",
        "three treated units pass as many",
        (FEW + "test_the_result_says_how_many_units_by_name",),
    ),
    # 3. What counts as a result
    Mutant(
        "converged-always",
        "inference/result.py",
        'return bool(self.tree.attrs["converged"])',
        "return True",
        "a fit that failed its gate is a result",
        (FIT + "test_a_failed_gate_is_never_a_result",),
    ),
    Mutant(
        "numbers-of-a-failed-fit",
        "inference/result.py",
        'return row if self.converged else dict.fromkeys(row, float("nan"))',
        "return row",
        "a fit that failed its gate shows numbers in its table",
        (FIT + "test_a_failed_gate_is_never_a_result",),
    ),
    Mutant(
        "gate-threshold",
        "inference/gate.py",
        "RHAT_LIMIT = 1.01",
        "RHAT_LIMIT = 2.0",
        "chains that disagree pass the gate",
        (HOLES + "test_chains_that_disagree_fail_the_gate",),
    ),
    Mutant(
        "gate-direction",
        "inference/gate.py",
        "bool(value >= limit)",
        "bool(value <= limit)",
        "too few effective draws pass the gate",
        (HOLES + "test_chains_that_disagree_fail_the_gate",),
    ),
    Mutant(
        "quadrature-ungated",
        "inference/gate.py",
        "return [error, _at_least",
        "return [_at_least",
        "a rough quadrature is not noticed",
        (HOLES + "test_a_rough_quadrature_fails_the_gate",),
    ),
    Mutant(
        "exit-code",
        "cli/fit.py",
        "        raise typer.Exit(1)",
        "        raise typer.Exit(0)",
        "a script does not notice that a fit failed",
        ("cli/test_cli.py::test_a_fit_that_did_not_converge_sets_exit_code_1",),
    ),
    Mutant(
        "identity-unchecked",
        "peers/agreement.py",
        "(near & wide) |",
        "True |",
        "a flat posterior is said to be least squares whatever it is",
        ("peers/test_agreement.py::test_a_fit_of_other_data_does_not_agree",),
    ),
    Mutant(
        "family-off-the-page",
        "report/results.py",
        'for item in sorted(contents, key=lambda item: place[item["family"]]):',
        'for item in sorted(contents, key=lambda item: place[item["family"]])[1:]:',
        "the first family is missing from the page",
        (HOLES + "test_no_analysis_is_missing_from_the_sections",),
    ),
    Mutant(
        "option-ignored",
        "families/registry/validate.py",
        "    _refuse_unread(spec, family, file)\n    try:",
        "    try:",
        "a field that a family does not read loads and changes nothing",
        ("families/test_registry.py::test_what_nothing_reads_is_refused",),
    ),
    Mutant(
        "errors-ignored-by-the-command",
        "cli/model_options.py",
        "default if errors is None else ErrorModel.parse(errors)",
        "default",
        "`--errors` changes nothing",
        (HOLES + "test_options_of_the_commands_reach_the_model",),
    ),
    Mutant(
        "priors-ignored-by-the-command",
        "cli/model_options.py",
        "None if priors is None else PriorChoice.of(priors)",
        "None",
        "`--priors` changes nothing",
        (HOLES + "test_options_of_the_commands_reach_the_model",),
    ),
    # 4. Stored results
    Mutant(
        "digest-unverified",
        "files.py",
        'return found if left == 0 and tail == f"\\nsha256 {found}\\n".encode("ascii") else None',
        "return found",
        "a damaged file is read as if it were whole",
        (HOLES + "test_a_seal_is_compared_with_the_bytes",),
    ),
    Mutant(
        "weights-by-name",
        "families/store.py",
        "{name: file_digest(path) for name, path in named_files(study, spec).items()}",
        "list(named_files(study, spec))",
        "a changed weights file returns yesterday's answer",
        ("inference/test_store.py::test_a_changed_weights_file_changes_the_answer",),
    ),
    # 5. Published numbers
    Mutant(
        "published-sign",
        "study/printed.py",
        'if match["sign"] not in (None, "+"):',
        'if match["sign"] == "-":',
        "a printed minus sign that is not a hyphen is read as plus",
        ("study/test_printed.py::test_ways_of_printing",),
    ),
    Mutant(
        "rounding-halved",
        "study/printed.py",
        "Decimal(1).scaleb(-self.places) / 2",
        "Decimal(1).scaleb(-self.places) / 4",
        "rounding intervals are half as wide: honest tables are flagged",
        ("study/test_printed.py::test_a_number_lies_in_the_interval_of_its_rounding",),
    ),
    Mutant(
        "bounds-of-a-difference",
        "audit/bounds.py",
        "return Bounds(self.low - other.high, self.high - other.low)",
        "return Bounds(self.low - other.low, self.high - other.high)",
        "rounding errors of two numbers cancel in the audit",
        ("audit/test_bounds.py::test_arithmetic_encloses",),
    ),
    Mutant(
        "stars-unforgiving",
        "audit/stars.py",
        "if printed and p.low > level:",
        "if printed and p.high > level:",
        "stars that rounding allows are called a contradiction",
        (HOLES + "test_stars_that_rounding_allows_are_no_contradiction",),
    ),
    # 6. Designs
    Mutant(
        "exposure-misaligned",
        "design/design.py",
        "None if (values := getattr(self, name)) is None else values[rows] for name in _OPTIONAL",
        "None if (values := getattr(self, name)) is None else values[: len(self.y[rows])]\n"
        "            for name in _OPTIONAL",
        "rows carry the exposure of other rows",
        ("model/test_bound.py::test_taking_rows_keeps_every_array_in_line",),
    ),
    Mutant(
        "reference-period",
        "design/event.py",
        "if k != reference and values[k].any()",
        "if k != reference + 1 and values[k].any()",
        "an event study is measured against another period than it says",
        ("estimands/test_event_study.py::test_terms_are_event_times",),
    ),
    Mutant(
        "att-weights",
        "design/cohort.py",
        "weight = np.where(where, self.rows, 0).astype(float)",
        "weight = np.where(where, 1, 0).astype(float)",
        "the ATT weights cells alike instead of by their treated rows",
        ("families/test_cohort.py::test_mpdta_gives_the_published_numbers",),
    ),
    # 7. Models and engines
    Mutant(
        "gap-ignored",
        "model/serial.py",
        "gap[order[later]] = step.astype(np.int64)",
        "gap[order[later]] = 1",
        "AR(1) errors two periods apart correlate as if they were one apart",
        (HOLES + "test_rows_know_how_long_ago_the_row_before_was",),
    ),
    Mutant(
        "gap-ignored-by-the-engine",
        "inference/exact/rows.py",
        "gap[1:] = np.where(later, np.diff(when), 0.0).astype(np.int64)",
        "gap[1:] = np.where(later, 1, 0)",
        "the exact engine of AR(1) errors closes gaps",
        (HOLES + "test_rows_know_how_long_ago_the_row_before_was",),
    ),
    Mutant(
        "unit-scale-exponent",
        "model/pymc/errors.py",
        "factor = factor / pm.math.sqrt(lambdas)[design.unit_index]",
        "factor = factor / lambdas[design.unit_index]",
        "lambda is taken for the root of a unit's precision",
        ("model/test_pointwise.py::test_terms_are_those_of_the_compiled_model",),
    ),
    Mutant(
        "density-unconditional",
        "inference/pointwise.py",
        "z, size = (z - carry * z[:, rows.before]) / root, size * root",
        "z, size = z * 1.0, size * 1.0",
        "the rows' log likelihood forgets the row before",
        (HOLES + "test_rows_of_ar1_errors_have_the_joint_density",),
    ),
    Mutant(
        "exposure-left-out",
        "inference/pointwise.py",
        "log_mean = eta + (0.0 if design.exposure is None else np.log(design.exposure))",
        "log_mean = eta",
        "densities of counts forget the exposure",
        (HOLES + "test_densities_of_counts_have_the_exposure",),
    ),
    Mutant(
        "prior-multiple",
        "model/priors.py",
        "WEAK_MULTIPLE = 2.5",
        "WEAK_MULTIPLE = 5.0",
        "weak priors are twice as wide as every page says",
        (HOLES + "test_priors_are_as_wide_as_they_say",),
    ),
    Mutant(
        "sceptical-share",
        "model/priors.py",
        "sds[name] = float(SCEPTICAL_SHARE * scale / width)",
        "sds[name] = float(WEAK_MULTIPLE * scale / width)",
        "a sceptical prior is a weak one",
        (HOLES + "test_priors_are_as_wide_as_they_say",),
    ),
    Mutant(
        "sandwich-without-clusters",
        "inference/exact/sandwich.py",
        "[np.bincount(design.unit_index, Z[:, k] * e, minlength=G) for k in range(K)]",
        "[Z[:, k] * e for k in range(K)]",
        "clustered standard errors are those of independent rows",
        (FIT + "test_rows_beside_are_least_squares",),
    ),
    Mutant(
        "degrees-of-freedom",
        "inference/exact/conjugate.py",
        "nu = design.n - 1 - dummies - W.shape[1]",
        "nu = design.n - W.shape[1]",
        "flat posteriors forget that the effects were estimated",
        (FIT + "test_rows_beside_are_least_squares",),
    ),
    Mutant(
        "indirect-sum",
        "families/mediation/analysis.py",
        "        return self.a * self.b",
        "        return self.a + self.b",
        "an indirect effect is a + b",
        (HOLES + "test_an_indirect_effect_is_a_product",),
    ),
    Mutant(
        "direct-for-indirect",
        "spatial/operators/impacts.py",
        "return Effects(direct, total - direct, total)",
        "return Effects(total - direct, direct, total)",
        "direct and indirect effects change places",
        ("spatial/test_impacts.py::test_without_a_lag_of_y_effects_are_beta_and_theta",),
    ),
    # published columns
    Mutant(
        "path-size",
        "published/functional.py",
        "return np.minimum((age + 1) / self.years, 1.0)",
        "return np.minimum(age / self.years, 1.0)",
        "growing effects reach their size a period later than is said",
        (FUNCTIONAL + "test_sizes_along_a_path",),
    ),
    Mutant(
        "weights-without-periods",
        "published/functional.py",
        "used - used.mean(axis=1, keepdims=True) - used.mean(axis=2, keepdims=True)",
        "used - used.mean(axis=2, keepdims=True)",
        "what a column estimates is worked out without its period effects",
        (FUNCTIONAL + "test_weights_are_those_of_least_squares",),
    ),
    Mutant(
        "no-model-error",
        "published/inversion.py",
        "before + V[k] + left_out,",
        "before + V[k],",
        "near-duplicate columns are read to the third digit",
        (INVERSION + "test_what_the_functionals_leave_out_widens_every_component",),
    ),
    Mutant(
        "range-of-the-main",
        "published/contrasts.py",
        "return min(self.p_claim.values()), max(self.p_claim.values())",
        "return self.p_claim[MAIN], self.p_claim[MAIN]",
        "the range of a probability forgets the assumptions that the figure shows",
        (PUBLISHED + "test_the_range_is_that_of_all_that_the_figure_shows",),
    ),
    Mutant(
        "lean-inverted",
        "estimands/verdict.py",
        "if p >= LEANS:",
        "if p <= 1 - LEANS:",
        "an undecided claim leans to the wrong side",
        (PUBLISHED + "test_the_word_for_a_probability_and_its_range",),
    ),
    Mutant(
        "held-out-with-itself",
        "published/inversion.py",
        "rest = np.flatnonzero(np.arange(len(b)) != c)",
        "rest = np.arange(len(b))",
        "each printed coefficient is predicted by itself",
        (INVERSION + "test_held_out_columns_are_predicted_unless_one_is_wrong",),
    ),
    Mutant(
        "headline-joint",
        "model/overlap.py",
        "return (names == set_name(of, policies, JOINT)) |",
        "return (names == names[0]) |",
        "the synergy of a panel is what the first policy does alone",
        ("estimands/test_synergy.py::test_columns_make_up_the_states",),
    ),
    Mutant(
        "headline-claim",
        "estimands/beside.py",
        "claim = values > 1 if name == RATIO else values < 0 if lower else values > 0",
        "claim = values > 1 if name == RATIO else values > 0 if lower else values < 0",
        "the probability of a claim from a panel is that of its opposite",
        ("estimands/test_synergy.py::test_a_planted_synergy_is_found_with_its_sign",),
    ),
    Mutant(
        "headline-ages",
        "estimands/row_weights.py",
        "(asked / np.maximum(there, 1))[age[only]]",
        "asked.sum() / only.sum()",
        "what a policy does alone is averaged over all its ages, not taken at those of both",
        ("estimands/test_synergy.py::test_cells_compare_at_the_ages_of_both",),
    ),
    Mutant(
        "violation-sign",
        "estimands/trends.py",
        "float(mean - shift @ C @ estimate)",
        "float(mean + shift @ C @ estimate)",
        "a trend that the rows show moves the synergy the wrong way",
        (
            "estimands/test_trends.py::test_the_posterior_under_a_prior_is_that_of_the_whole_covariance",
        ),
    ),
    Mutant(
        "violation-words",
        "estimands/violated_synergy.py",
        "established = p >= SURE or p <= 1 - SURE",
        "established = True",
        "a sign that is not established has a breakdown",
        ("estimands/test_trends.py::test_words",),
    ),
    Mutant(
        "imputation-treated",
        "estimands/imputation.py",
        "return np.where(self.free, -fitted, q)",
        "return np.where(self.free, fitted, q)",
        "imputed values are added to effects instead of subtracted",
        (
            "estimands/test_beside.py::test_imputation_is_a_functional_that_is_blind_to_unit_and_period_effects",
        ),
    ),
    Mutant(
        "checks-direction",
        "checks/predictive.py",
        "[int(above > 0.5)]",
        "[int(above < 0.5)]",
        "a check says of too little autocorrelation what too much of it means",
        (
            "checks/test_checks.py::test_autocorrelation_that_the_model_has_is_no_failure_and_too_much_of_it_is_one",
        ),
    ),
    Mutant(
        "joint-at-wrong-rows",
        "published/inversion.py",
        "*(mean(both) * single[p] for p in timing.policies),",
        "*(mean(rows) * single[p] for rows, p in zip(alone, timing.policies, strict=True)),",
        "single effects are taken at the ages that they have alone, not under both",
        (INVERSION + "test_quantities_average_over_the_rows_that_they_name",),
    ),
)
