# Tables that programs of R write, with random models of public data, and their truth.
#
#   Rscript real_programs.R FOLDER TABLES SEED [DATA [PROGRAM,PROGRAM]]
#
# writes FOLDER/NAME and one line for each printed number to FOLDER/truth.csv: file, column, label,
# part, value. DATA is a folder of CSV files whose columns are the variables; without it data sets of
# packages of R are. Debian has all that is needed: r-base-core, r-cran-xtable, -broom, -knitr,
# -sjplot, -parameters, -pander, -flextable, -officer, -lmtest, -sandwich, -plm, -car, -aer,
# -estimatr, -survey, -psych, -hmisc, -htmltable.

options(warn = -1, width = 100)
quiet <- function(x) suppressWarnings(suppressMessages(x))
sampled <- function(x, ...) x[sample.int(length(x), ...)]
one <- function(...) sampled(list(...), 1)[[1]]

# ------------------------------------------------------------------ data

packaged <- function() {
  found <- list()
  for (package in c("datasets", "MASS", "AER", "plm", "carData", "survey", "psych")) {
    names <- sub(" .*", "", data(package = package)$results[, "Item"])
    for (name in names) {
      place <- new.env()
      quiet(try(data(list = name, package = package, envir = place), silent = TRUE))
      for (x in mget(ls(place), envir = place)) if (is.data.frame(x)) found[[name]] <- x
    }
  }
  found
}

separate <- function(folder) {
  files <- list.files(folder, pattern = "[.]csv$", full.names = TRUE)
  sets <- lapply(files, read.csv, check.names = TRUE)
  setNames(sets, sub("[.]csv$", "", basename(files)))
}

usable <- function(x) {
  # numeric columns that vary, factors of two to four levels, rows without gaps
  x <- as.data.frame(x)
  many <- vapply(x, function(v) sum(!is.na(v)), 0)
  x <- x[many > 0.8 * nrow(x)]
  x <- x[seq_len(min(nrow(x), 3000)), , drop = FALSE]
  x <- x[stats::complete.cases(x), , drop = FALSE]
  x[] <- lapply(x, function(v) if (is.character(v)) factor(v) else v)
  fine <- vapply(x, function(v) {
    if (is.factor(v)) return(!is.ordered(v) && nlevels(droplevels(v)) %in% 2:4)
    is.numeric(v) && length(unique(v)) > 1 && is.null(dim(v)) && all(is.finite(v))
  }, TRUE)
  x <- droplevels(x[fine])
  numeric <- names(x)[vapply(x, is.numeric, TRUE)]
  wide <- numeric[vapply(x[numeric], function(v) length(unique(v)) > 8, TRUE)]
  if (nrow(x) < 30 || length(wide) < 1 || ncol(x) < 4) return(NULL)
  list(data = x, outcomes = wide, names = names(x))
}

formulas <- function(set, count) {
  # models of one outcome or two, regressors entering as they like, some of them transformed
  y <- sampled(set$outcomes, 1)
  x <- sampled(setdiff(set$names, y))
  x <- x[seq_len(min(length(x), sample(2:6, 1)))]
  written <- vapply(x, function(v) {
    values <- set$data[[v]]
    plain <- is.factor(values)
    if (!plain && all(values > 0) && runif(1) < 0.2) return(sprintf("log(%s)", v))
    if (!plain && runif(1) < 0.1) return(sprintf("I(%s^2)", v))
    v
  }, "")
  if (length(x) > 1 && runif(1) < 0.3) written <- c(written, paste(x[1:2], collapse = ":"))
  lapply(seq_len(count), function(j) {
    own <- written[seq_len(sample(length(written), 1))]
    other <- setdiff(set$outcomes, c(y, x))
    left <- if (length(other) && runif(1) < 0.3) sampled(other, 1) else y
    stats::as.formula(paste(left, "~", paste(own, collapse = " + ")))
  })
}

identified <- function(fit) {
  # no coefficient is left out, none is zero but for the rounding of computers, no fit is perfect
  s <- summary(fit)
  !anyNA(coef(fit)) && s$r.squared < 0.999 && all(is.finite(coef(s))) && all(abs(coef(s)[, "t value"]) > 1e-4)
}

models <- function(sets, count) {
  # fits that have all their coefficients
  repeat {
    set <- sampled(sets, 1)[[1]]
    fits <- lapply(formulas(set, count), function(f) try(eval(bquote(lm(.(f), data = set$data))), silent = TRUE))
    good <- vapply(fits, function(m) inherits(m, "lm") && df.residual(m) > 10 && identified(m), TRUE)
    if (all(good)) return(list(set = set, fits = fits))
  }
}

# ----------------------------------------------------------------- truth

said <- function(j, label, part, value) {
  data.frame(column = j, label = label, part = part, value = as.numeric(value))
}

coefficients_of <- function(table, j = 0, parts = c("estimate", "se", "t", "p"), at = seq_along(parts)) {
  do.call(rbind, lapply(seq_along(parts), function(k) said(j, rownames(table), parts[k], table[, at[k]])))
}

ends_of <- function(fit, j = 0, labels = names(coef(fit))) {
  ends <- confint(fit)
  rbind(said(j, labels, "low", ends[, 1]), said(j, labels, "high", ends[, 2]))
}

sizes_of <- function(fit, j = 0, n = TRUE, r2 = TRUE, adjusted = TRUE) {
  s <- summary(fit)
  rbind(
    if (n) said(j, "", "n", nobs(fit)),
    if (r2) said(j, "", "r2", s$r.squared),
    if (adjusted) said(j, "", "r2_adjusted", s$adj.r.squared)
  )
}

with_fits <- function(writer, fits, more) {
  # programs name models after the symbols that they are called with
  symbols <- sprintf("m%d", seq_along(fits))
  place <- list2env(c(setNames(fits, symbols), writer = writer), parent = globalenv())
  quiet(eval(as.call(c(as.name("writer"), lapply(symbols, as.name), more)), place))
}

printed <- function(...) paste(utils::capture.output(...), collapse = "\n")

# -------------------------------------------------------------- programs

programs <- list()

programs$xtable <- function(sets) {
  fit <- models(sets, 1)$fits[[1]]
  type <- one("latex", "html")
  table <- xtable::xtable(fit, digits = one(NULL, 3, 4), caption = one(NULL, "Table 2: Determinants"))
  text <- printed(print(table, type = type, booktabs = one(TRUE, FALSE), comment = one(TRUE, FALSE)))
  list(suffix = if (type == "latex") ".tex" else ".html", text = text, truth = coefficients_of(coef(summary(fit))))
}

programs$kable_tidy <- function(sets) {
  fit <- models(sets, 1)$fits[[1]]
  ends <- runif(1) < 0.4
  table <- broom::tidy(fit, conf.int = ends)
  type <- one("latex", "html", "pipe", "simple", "rst")
  if (runif(1) < 0.3) names(table)[1:5] <- c("Variable", "Coefficient", "SE", "t", "p")
  text <- paste(knitr::kable(table, format = type, digits = one(3, 4), booktabs = TRUE), collapse = "\n")
  truth <- coefficients_of(coef(summary(fit)))
  if (ends) truth <- rbind(truth, ends_of(fit))
  suffix <- c(latex = ".tex", html = ".html", pipe = ".md", simple = ".md", rst = ".txt")[[type]]
  list(suffix = suffix, text = text, truth = truth)
}

programs$pander <- function(sets) {
  fit <- models(sets, 1)$fits[[1]]
  style <- one("multiline", "grid", "simple", "rmarkdown")
  whole <- runif(1) < 0.5
  pander::panderOptions("table.split.table", 200)
  pander::panderOptions("table.style", style)
  text <- printed(if (whole) pander::pander(summary(fit)) else pander::pander(fit))
  truth <- coefficients_of(coef(summary(fit)))
  if (whole) truth <- rbind(truth, sizes_of(fit))
  list(suffix = ".md", text = text, truth = truth)
}

programs$tab_model <- function(sets) {
  found <- models(sets, sample(1:4, 1))
  se <- one(TRUE, FALSE, NULL)
  ci <- one(0.95, FALSE)
  if (isFALSE(ci) && !isTRUE(se)) se <- TRUE
  statistic <- runif(1) < 0.3
  p <- one("numeric", "stars", "numeric_stars")
  collapsed <- runif(1) < 0.3
  page <- with_fits(sjPlot::tab_model, found$fits, list(
    show.se = se, show.ci = ci, show.stat = statistic, p.style = p, digits = 3, digits.p = 3,
    auto.label = FALSE, collapse.ci = collapsed && !isFALSE(ci) && !isTRUE(se),
    collapse.se = collapsed && isTRUE(se), dv.labels = one(NULL, paste("Model", seq_along(found$fits))),
    prefix.labels = "none"
  ))
  truth <- do.call(rbind, lapply(seq_along(found$fits), function(j) {
    fit <- found$fits[[j]]
    table <- coef(summary(fit))
    rbind(
      coefficients_of(table, j - 1, "estimate", 1),
      if (isTRUE(se)) coefficients_of(table, j - 1, "se", 2),
      if (!isFALSE(ci)) ends_of(fit, j - 1),
      if (statistic) coefficients_of(table, j - 1, "t", 3),
      if (p != "stars") coefficients_of(table, j - 1, "p", 4),
      sizes_of(fit, j - 1)
    )
  }))
  list(suffix = ".html", text = page$page.complete, truth = truth)
}

programs$parameters <- function(sets) {
  fit <- models(sets, 1)$fits[[1]]
  table <- quiet(parameters::model_parameters(fit, pretty_names = FALSE))
  type <- one("md", "text")
  text <- if (type == "md") parameters::print_md(table, digits = 3) else printed(print(table, digits = 3))
  truth <- rbind(coefficients_of(coef(summary(fit))), ends_of(fit))
  suffix <- if (type == "md") ".md" else ".txt"
  list(suffix = suffix, text = paste(text, collapse = "\n"), truth = truth)
}

programs$compare_parameters <- function(sets) {
  found <- models(sets, sample(2:4, 1))
  select <- one("se", "ci", "se_p", "ci_p2", "se_p2")
  table <- with_fits(parameters::compare_parameters, found$fits, list(select = select))
  text <- paste(parameters::print_md(table, digits = 3), collapse = "\n")
  truth <- do.call(rbind, lapply(seq_along(found$fits), function(j) {
    fit <- found$fits[[j]]
    rbind(
      coefficients_of(coef(summary(fit)), j - 1, "estimate", 1),
      if (grepl("^se", select)) coefficients_of(coef(summary(fit)), j - 1, "se", 2),
      if (grepl("^ci", select)) ends_of(fit, j - 1),
      if (grepl("2$", select)) coefficients_of(coef(summary(fit)), j - 1, "p", 4),
      said(j - 1, "", "n", nobs(fit))
    )
  }))
  list(suffix = ".md", text = text, truth = truth)
}

programs$flextable <- function(sets) {
  fit <- models(sets, 1)$fits[[1]]
  table <- quiet(flextable::as_flextable(fit))
  type <- one("html", "docx")
  truth <- coefficients_of(coef(summary(fit)))
  if (type == "html") {
    return(list(suffix = ".html", truth = truth, save = function(path) flextable::save_as_html(table, path = path)))
  }
  list(suffix = ".docx", truth = truth, save = function(path) flextable::save_as_docx(table, path = path))
}

programs$coeftest <- function(sets) {
  fit <- models(sets, 1)$fits[[1]]
  kind <- one("HC1", "HC3", "HC0")
  table <- lmtest::coeftest(fit, vcov. = sandwich::vcovHC(fit, type = kind))
  type <- one("print", "latex", "pipe")
  text <- switch(type,
    print = printed(print(table)),
    latex = printed(print(xtable::xtable(unclass(table)), comment = FALSE)),
    pipe = paste(knitr::kable(broom::tidy(table), format = "pipe", digits = 4), collapse = "\n")
  )
  suffix <- c(print = ".txt", latex = ".tex", pipe = ".md")[[type]]
  list(suffix = suffix, text = text, truth = coefficients_of(unclass(table)))
}

programs$summary_lm <- function(sets) {
  fit <- models(sets, 1)$fits[[1]]
  truth <- rbind(coefficients_of(coef(summary(fit))), sizes_of(fit, n = FALSE))
  list(suffix = ".txt", text = printed(print(summary(fit))), truth = truth)
}

programs$summary_plm <- function(sets) {
  place <- new.env()
  panel <- one(
    list("Grunfeld", c("inv", "value", "capital"), NULL),
    list("Produc", c("gsp", "pcap", "hwy", "water", "util", "pc", "emp", "unemp"), c("state", "year")),
    list("EmplUK", c("emp", "wage", "capital", "output"), c("firm", "year")),
    list("Cigar", c("sales", "price", "pop", "pop16", "cpi", "ndi", "pimin"), c("state", "year")),
    list("Crime", c("crmrte", "prbarr", "prbconv", "avgsen", "polpc", "density"), c("county", "year")),
    list("Gasoline", c("lgaspcar", "lincomep", "lrpmg", "lcarpcap"), c("country", "year"))
  )
  data(list = panel[[1]], package = "plm", envir = place)
  x <- sampled(panel[[2]][-1], sample(2:min(4, length(panel[[2]]) - 1), 1))
  f <- stats::as.formula(paste(panel[[2]][1], "~", paste(x, collapse = " + ")))
  effect <- one("individual", "twoways", "time")
  fit <- eval(bquote(plm::plm(.(f), data = place[[panel[[1]]]], index = panel[[3]], effect = effect, model = "within")))
  robust <- runif(1) < 0.4
  s <- if (robust) summary(fit, vcov = plm::vcovHC(fit)) else summary(fit)
  truth <- rbind(coefficients_of(s$coefficients), said(0, "", "n", nobs(fit)), said(0, "", "r2", s$r.squared[["rsq"]]), said(0, "", "r2_adjusted", s$r.squared[["adjrsq"]]))
  list(suffix = ".txt", text = printed(print(s)), truth = truth)
}

programs$summary_glm <- function(sets) {
  repeat {
    found <- models(sets, 1)
    old <- found$fits[[1]]
    x <- labels(terms(old))
    y <- all.vars(formula(old))[1]
    found$set$data[[paste0("high_", y)]] <- as.integer(found$set$data[[y]] > stats::median(found$set$data[[y]]))
    f <- stats::as.formula(paste0("high_", y, " ~ ", paste(x, collapse = " + ")))
    fit <- quiet(eval(bquote(glm(.(f), data = found$set$data, family = .(one("binomial", "gaussian"))))))
    table <- coef(summary(fit))
    if (fit$converged && !anyNA(coef(fit)) && all(is.finite(table)) && max(abs(table[, 1:2])) < 100) break
  }
  list(suffix = ".txt", text = printed(print(summary(fit))), truth = coefficients_of(table))
}

programs$lm_robust <- function(sets) {
  repeat {
    found <- models(sets, 1)
    fit <- try(estimatr::lm_robust(formula(found$fits[[1]]), data = found$set$data, se_type = one("HC1", "HC2", "stata")), silent = TRUE)
    if (!inherits(fit, "try-error") && all(is.finite(coef(summary(fit))))) break
  }
  table <- coef(summary(fit))
  truth <- coefficients_of(table, parts = c("estimate", "se", "t", "p", "low", "high"))
  whole <- runif(1) < 0.5
  text <- if (whole) printed(print(summary(fit))) else printed(print(fit))
  if (whole) truth <- rbind(truth, said(0, "", "r2", fit$r.squared), said(0, "", "r2_adjusted", fit$adj.r.squared))
  list(suffix = ".txt", text = text, truth = truth)
}

programs$compareCoefs <- function(sets) {
  repeat {
    found <- models(sets, sample(2:4, 1))
    if (length(unique(vapply(found$fits, function(m) all.vars(formula(m))[1], ""))) == 1) break
  }
  se <- runif(1) < 0.8
  text <- printed(with_fits(car::compareCoefs, found$fits, list(se = se, pvals = FALSE, digits = 4)))
  truth <- do.call(rbind, lapply(seq_along(found$fits), function(j) {
    coefficients_of(coef(summary(found$fits[[j]])), j - 1, c("estimate", if (se) "se"))
  }))
  list(suffix = ".txt", text = text, truth = truth)
}

# one row of estimates with stars, one of errors below, as authors make it for any writer of tables
stacked <- function(fits, digits, stars, apart) {
  labels <- unique(unlist(lapply(fits, function(m) names(coef(m)))))
  cells <- lapply(fits, function(m) {
    table <- coef(summary(m))[match(labels, names(coef(m))), , drop = FALSE]
    mark <- if (stars) ifelse(table[, 4] < 0.01, "***", ifelse(table[, 4] < 0.05, "**", ifelse(table[, 4] < 0.1, "*", ""))) else ""
    estimate <- ifelse(is.na(table[, 1]), "", paste0(formatC(table[, 1], digits = digits, format = "f"), mark))
    error <- ifelse(is.na(table[, 1]), "", paste0("(", formatC(table[, 2], digits = digits, format = "f"), ")"))
    if (apart) rbind(estimate, error) else rbind(ifelse(estimate == "", "", paste(estimate, error)))
  })
  rows <- if (apart) 2 else 1
  found <- data.frame(Variable = c(rbind(labels, if (apart) "")), do.call(cbind, lapply(cells, c)))
  foot <- data.frame(
    Variable = c("Observations", "R2"),
    rbind(vapply(fits, nobs, 1), vapply(fits, function(m) formatC(summary(m)$r.squared, digits = 3, format = "f"), ""))
  )
  names(foot) <- names(found)
  found <- rbind(found, foot)
  names(found) <- c(" ", sprintf("(%d)", seq_along(fits)))
  found
}

programs$stacked <- function(sets) {
  fits <- models(sets, sample(1:5, 1))$fits
  table <- stacked(fits, one(3, 4), runif(1) < 0.7, runif(1) < 0.7)
  type <- one("kable_latex", "kable_html", "kable_pipe", "kable_simple", "xtable", "pander", "htmlTable", "hmisc", "docx", "print", "csv")
  text <- switch(type,
    kable_latex = paste(knitr::kable(table, format = "latex", booktabs = TRUE), collapse = "\n"),
    kable_html = paste(knitr::kable(table, format = "html"), collapse = "\n"),
    kable_pipe = paste(knitr::kable(table, format = "pipe"), collapse = "\n"),
    kable_simple = paste(knitr::kable(table, format = "simple"), collapse = "\n"),
    xtable = printed(print(xtable::xtable(table), include.rownames = FALSE)),
    pander = {
      pander::panderOptions("table.split.table", 300)
      pander::panderOptions("table.style", one("multiline", "grid", "simple", "rmarkdown"))
      printed(pander::pander(table))
    },
    htmlTable = as.character(htmlTable::htmlTable(table, rnames = FALSE)),
    hmisc = printed(print(Hmisc::latex(table, file = "", rowname = NULL, booktabs = one(TRUE, FALSE)))),
    print = printed(print(table, row.names = FALSE)),
    csv = printed(write.csv(table, row.names = FALSE)),
    docx = ""
  )
  truth <- do.call(rbind, lapply(seq_along(fits), function(j) {
    rbind(coefficients_of(coef(summary(fits[[j]])), j - 1, c("estimate", "se")), sizes_of(fits[[j]], j - 1, adjusted = FALSE))
  }))
  suffix <- c(kable_latex = ".tex", kable_html = ".html", kable_pipe = ".md", kable_simple = ".md", xtable = ".tex", pander = ".md", htmlTable = ".html", hmisc = ".tex", docx = ".docx", print = ".txt", csv = ".csv")[[type]]
  list(suffix = suffix, text = text, truth = truth, save = if (type == "docx") {
    function(path) {
      names(table)[1] <- "Variable"
      flextable::save_as_docx(flextable::flextable(table), path = path)
    }
  })
}

programs$describe <- function(sets) {
  set <- sampled(sets, 1)[[1]]
  numeric <- set$data[vapply(set$data, is.numeric, TRUE)]
  table <- psych::describe(numeric, fast = TRUE)
  text <- one(
    printed(print(table)),
    paste(knitr::kable(as.data.frame(table)[c("n", "mean", "sd", "min", "max")], format = "pipe", digits = 3), collapse = "\n"),
    printed(print(xtable::xtable(as.data.frame(table)[c("n", "mean", "sd", "min", "max")], digits = 3)))
  )
  suffix <- if (grepl("tabular", text)) ".tex" else if (grepl("|", text, fixed = TRUE)) ".md" else ".txt"
  truth <- do.call(rbind, lapply(c("mean", "sd", "min", "max", "n"), function(part) {
    said(0, rownames(table), part, table[[part]])
  }))
  list(suffix = suffix, text = text, truth = truth)
}

# a model of another kind from the same data: its coefficients, and how programs print it

binary <- function(sets) {
  repeat {
    found <- models(sets, 1)
    old <- found$fits[[1]]
    y <- all.vars(formula(old))[1]
    data <- found$set$data
    data[[paste0(y, "_high")]] <- as.integer(data[[y]] > stats::median(data[[y]]))
    f <- stats::as.formula(paste0(y, "_high ~ ", paste(labels(terms(old)), collapse = " + ")))
    fit <- quiet(try(eval(bquote(glm(.(f), data = data, family = binomial))), silent = TRUE))
    if (inherits(fit, "try-error")) next
    table <- coef(summary(fit))
    if (fit$converged && !anyNA(coef(fit)) && all(is.finite(table)) && max(abs(table[, 1:2])) < 50) return(fit)
  }
}

programs$odds_ratios <- function(sets) {
  fit <- binary(sets)
  ends <- quiet(stats::confint.default(fit))
  labels <- names(coef(fit))
  type <- one("tab_model", "parameters", "kable", "pander", "flextable")
  ratios <- rbind(said(0, labels, "estimate", exp(coef(fit))), said(0, labels, "low", exp(ends[, 1])), said(0, labels, "high", exp(ends[, 2])))
  p <- coefficients_of(coef(summary(fit)), parts = "p", at = 4)
  logs <- coefficients_of(coef(summary(fit)))
  if (type == "tab_model") {
    page <- with_fits(sjPlot::tab_model, list(fit), list(auto.label = FALSE, digits = 3, prefix.labels = "none", show.r2 = FALSE, df.method = "wald"))
    return(list(suffix = ".html", text = page$page.complete, truth = rbind(ratios, p, said(0, "", "n", nobs(fit)))))
  }
  if (type == "parameters") {
    table <- quiet(parameters::model_parameters(fit, exponentiate = TRUE, pretty_names = FALSE, ci_method = "wald"))
    ratio <- rbind(ratios, coefficients_of(coef(summary(fit)), parts = c("t", "p"), at = 3:4), said(0, labels, "se", table$SE))
    return(list(suffix = ".md", text = paste(parameters::print_md(table, digits = 3, ci_digits = 3), collapse = "\n"), truth = ratio))
  }
  if (type == "kable") {
    table <- data.frame(Variable = labels, OR = exp(coef(fit)), `2.5 %` = exp(ends[, 1]), `97.5 %` = exp(ends[, 2]), p = coef(summary(fit))[, 4], check.names = FALSE)
    text <- paste(knitr::kable(table, format = "latex", digits = 3, booktabs = TRUE, row.names = FALSE), collapse = "\n")
    return(list(suffix = ".tex", text = text, truth = rbind(ratios, p)))
  }
  if (type == "pander") {
    pander::panderOptions("table.style", "multiline")
    return(list(suffix = ".md", text = printed(pander::pander(fit)), truth = logs))
  }
  table <- quiet(flextable::as_flextable(fit))
  list(suffix = ".docx", truth = logs, save = function(path) flextable::save_as_docx(table, path = path))
}

programs$summaries <- function(sets) {
  repeat {
    found <- models(sets, 1)
    data <- found$set$data
    f <- formula(found$fits[[1]])
    kind <- sample(8, 1)
    fit <- quiet(try(switch(kind,
      eval(bquote(nlme::gls(.(f), data = data))),
      eval(bquote(quantreg::rq(.(f), data = data))),
      eval(bquote(AER::tobit(.(f), data = data))),
      eval(bquote(survey::svyglm(.(f), design = survey::svydesign(ids = ~1, weights = ~1, data = data)))),
      eval(bquote(MASS::rlm(.(f), data = data))),
      eval(bquote(AER::ivreg(.(f), data = data))),
      binary(sets),
      eval(bquote(nlme::lme(.(f), random = ~ 1 | group_, data = transform(data, group_ = seq_len(nrow(data)) %% 12))))
    ), silent = TRUE))
    if (inherits(fit, "try-error")) next
    s <- quiet(try(if (kind == 2) summary(fit, se = "nid") else summary(fit), silent = TRUE))
    if (inherits(s, "try-error")) next
    table <- quiet(try(if (kind %in% c(1, 8)) s$tTable else coef(s), silent = TRUE))
    if (!inherits(table, "try-error") && all(is.finite(table)) && ncol(table) > 2) break
  }
  text <- quiet(printed(print(s)))
  truth <- if (kind == 5) {
    coefficients_of(table, parts = c("estimate", "se", "t"))
  } else if (kind == 8) {
    coefficients_of(table, at = c(1, 2, 4, 5))
  } else {
    coefficients_of(table)
  }
  list(suffix = ".txt", text = text, truth = truth)
}

programs$coxph <- function(sets) {
  repeat {
    found <- models(sets, 1)
    data <- found$set$data
    f <- formula(found$fits[[1]])
    y <- all.vars(f)[1]
    if (min(data[[y]]) <= 0) next
    data$event_ <- as.integer(seq_len(nrow(data)) %% 3 > 0)
    f <- stats::as.formula(paste0("survival::Surv(", y, ", event_) ~ ", paste(labels(terms(f)), collapse = " + ")))
    fit <- quiet(try(eval(bquote(survival::coxph(.(f), data = data))), silent = TRUE))
    if (inherits(fit, "try-error") || anyNA(coef(fit)) || max(abs(coef(fit))) > 20 || min(abs(coef(fit))) < 1e-6) next
    s <- summary(fit)
    if (all(is.finite(s$coefficients)) && all(is.finite(s$conf.int))) break
  }
  type <- one("print", "kable")
  if (type == "print") {
    return(list(suffix = ".txt", text = printed(print(s)), truth = coefficients_of(s$coefficients, at = c(1, 3, 4, 5))))
  }
  table <- broom::tidy(fit, exponentiate = TRUE, conf.int = TRUE)[c("term", "estimate", "conf.low", "conf.high", "p.value")]
  names(table) <- c("Variable", "HR", "Lower", "Upper", "p")
  truth <- rbind(
    said(0, table$Variable, "estimate", table$HR), said(0, table$Variable, "low", table$Lower),
    said(0, table$Variable, "high", table$Upper), said(0, table$Variable, "p", table$p)
  )
  list(suffix = ".html", text = paste(knitr::kable(table, format = "html", digits = 3), collapse = "\n"), truth = truth)
}

programs$workbook <- function(sets) {
  fits <- models(sets, sample(1:4, 1))$fits
  if (runif(1) < 0.5) {
    table <- stacked(fits, 3, TRUE, TRUE)
    truth <- do.call(rbind, lapply(seq_along(fits), function(j) {
      rbind(coefficients_of(coef(summary(fits[[j]])), j - 1, c("estimate", "se")), sizes_of(fits[[j]], j - 1, adjusted = FALSE))
    }))
  } else {
    table <- as.data.frame(broom::tidy(fits[[1]], conf.int = TRUE))
    truth <- rbind(coefficients_of(coef(summary(fits[[1]]))), ends_of(fits[[1]]))
  }
  type <- one("xlsx", "word", "tsv")
  if (type == "tsv") return(list(suffix = ".tsv", text = printed(write.table(table, sep = "\t", row.names = FALSE, quote = FALSE)), truth = truth))
  list(suffix = c(xlsx = ".xlsx", word = ".docx")[[type]], truth = truth, save = function(path) {
    if (type == "xlsx") return(openxlsx::write.xlsx(table, path))
    names(table)[1] <- "Variable"
    print(officer::body_add_table(officer::read_docx(), table), target = path)
  })
}

programs$side_by_side <- function(sets) {
  # models beside each other, each with columns of its own, below headings over them
  fits <- models(sets, sample(2:3, 1))$fits
  labels <- unique(unlist(lapply(fits, function(m) names(coef(m)))))
  ends <- runif(1) < 0.4
  cells <- lapply(fits, function(m) {
    at <- match(labels, names(coef(m)))
    table <- coef(summary(m))[at, c(1, 2, 4), drop = FALSE]
    found <- data.frame(formatC(table[, 1], digits = 3, format = "f"), formatC(table[, 2], digits = 3, format = "f"), formatC(table[, 3], digits = 3, format = "f"))
    if (ends) {
      low <- confint(m)[at, , drop = FALSE]
      found <- data.frame(found[1], sprintf("[%.3f, %.3f]", low[, 1], low[, 2]), found[3])
    }
    found[is.na(at), ] <- ""
    names(found) <- c("Est.", if (ends) "95% CI" else "S.E.", "p")
    found
  })
  table <- cbind(data.frame(Term = labels), do.call(cbind, cells))
  truth <- do.call(rbind, lapply(seq_along(fits), function(j) {
    t <- coef(summary(fits[[j]]))
    rbind(
      coefficients_of(t, j - 1, c("estimate", "p"), c(1, 4)),
      if (ends) ends_of(fits[[j]], j - 1) else coefficients_of(t, j - 1, "se", 2)
    )
  }))
  heads <- sprintf("Model %d", seq_along(fits))
  if (runif(1) < 0.5) {
    text <- as.character(htmlTable::htmlTable(table, rnames = FALSE, cgroup = c("", heads), n.cgroup = c(1, rep(3, length(fits))), caption = "Table 3. Models"))
    return(list(suffix = ".html", text = text, truth = truth))
  }
  text <- printed(print(Hmisc::latex(table, file = "", rowname = NULL, cgroup = c("", heads), n.cgroup = c(1, rep(3, length(fits))), booktabs = TRUE)))
  list(suffix = ".tex", text = text, truth = truth)
}

programs$more_summaries <- function(sets) {
  repeat {
    found <- models(sets, 1)
    data <- found$set$data
    f <- formula(found$fits[[1]])
    y <- all.vars(f)[1]
    x <- labels(terms(f))
    kind <- sample(c("lmer", "glm.nb", "polr", "survreg", "iv_robust", "plm", "gam", "nls", "poisson", "printed"), 1)
    data$group_ <- factor(seq_len(nrow(data)) %% 12)
    data$count_ <- as.integer(round(10 * (data[[y]] - min(data[[y]])) / diff(range(data[[y]]))))
    data$level_ <- cut(rank(data[[y]], ties.method = "first"), 4, labels = c("low", "some", "more", "high"))
    data$time_ <- data[[y]] - min(data[[y]]) + 1
    right <- paste(x, collapse = " + ")
    of <- function(left, more = "") stats::as.formula(paste(left, "~", right, more))
    fit <- quiet(try(switch(kind,
      lmer = eval(bquote(lme4::lmer(.(of(y, "+ (1 | group_)")), data = data))),
      glm.nb = eval(bquote(MASS::glm.nb(.(of("count_")), data = data))),
      polr = eval(bquote(MASS::polr(.(of("level_")), data = data, Hess = TRUE))),
      survreg = eval(bquote(survival::survreg(.(of("survival::Surv(time_)")), data = data))),
      iv_robust = eval(bquote(estimatr::iv_robust(.(of(y, paste("|", right))), data = data))),
      plm = eval(bquote(plm::plm(.(f), data = data, index = "group_", model = .(sample(c("pooling", "random"), 1))))),
      gam = eval(bquote(mgcv::gam(.(of(y, "+ s(row_)")), data = transform(data, row_ = seq_len(nrow(data)))))),
      nls = eval(bquote(stats::nls(.(stats::as.formula(paste(y, "~ a + b *", sampled(found$set$outcomes, 1)))), data = data, start = list(a = 0, b = 0)))),
      poisson = eval(bquote(glm(.(of("count_")), data = data, family = quasipoisson))),
      printed = found$fits[[1]]
    ), silent = TRUE))
    if (inherits(fit, "try-error")) next
    s <- quiet(try(summary(fit), silent = TRUE))
    if (inherits(s, "try-error")) next
    table <- quiet(try(switch(kind, survreg = s$table, gam = s$p.table, iv_robust = coef(s), coef(s)), silent = TRUE))
    if (!inherits(table, "try-error") && all(is.finite(table)) && max(abs(table[, 1])) < 1e6 && min(abs(table[, 1])) > 1e-6) break
  }
  parts <- if (ncol(table) == 3) c("estimate", "se", "t") else c("estimate", "se", "t", "p")
  if (kind == "iv_robust") parts <- c(parts, "low", "high")
  if (kind == "printed") {
    text <- printed(print(parameters::model_parameters(fit, pretty_names = FALSE), digits = 3))
    return(list(suffix = ".txt", text = text, truth = rbind(coefficients_of(table), ends_of(fit))))
  }
  truth <- coefficients_of(table, parts = parts)
  if (kind == "lmer") truth <- rbind(truth, said(0, "", "n", nobs(fit)))
  list(suffix = ".txt", text = quiet(printed(print(s))), truth = truth)
}

programs$by_writer <- function(sets) {
  # the same coefficients as other writers have them
  found <- models(sets, 1)
  fit <- found$fits[[1]]
  table <- coef(summary(fit))
  truth <- coefficients_of(table)
  frame <- data.frame(Predictor = rownames(table), b = table[, 1], SE = table[, 2], t = table[, 3], p = table[, 4])
  type <- one("flextable_docx", "flextable_html", "ascii", "kable_coef", "format", "clustered", "word_p")
  if (type == "kable_coef") return(list(suffix = ".html", text = paste(knitr::kable(table, format = "html", digits = 3, caption = "Table 1. Results"), collapse = "\n"), truth = truth))
  if (type == "format") return(list(suffix = ".txt", text = printed(print(format(frame, digits = 3), row.names = FALSE)), truth = truth))
  if (type == "ascii") return(list(suffix = ".txt", text = printed(print(as.data.frame(broom::tidy(fit)), digits = 4)), truth = truth))
  if (type == "clustered") {
    group <- seq_len(nrow(model.frame(fit))) %% 15
    t <- lmtest::coeftest(fit, vcov. = sandwich::vcovCL(fit, cluster = group))
    return(list(suffix = ".txt", text = printed(print(lmtest::coefci(fit)), print(t)), truth = coefficients_of(unclass(t))))
  }
  frame$p <- ifelse(frame$p < 0.001, "<.001", sub("^0", "", formatC(frame$p, digits = 3, format = "f")))
  if (type == "word_p") {
    frame[2:4] <- lapply(frame[2:4], function(v) formatC(v, digits = 3, format = "f"))
    names(frame)[2] <- "\u03b2"
    return(list(suffix = ".docx", truth = truth, save = function(path) print(officer::body_add_table(officer::body_add_par(officer::read_docx(), "Table 2. Regression of the outcome"), frame), target = path)))
  }
  shown <- flextable::add_header_row(flextable::colformat_double(flextable::flextable(frame), digits = 3), values = c("", "Model 1"), colwidths = c(1, 4))
  if (type == "flextable_html") return(list(suffix = ".html", truth = truth, save = function(path) flextable::save_as_html(shown, path = path)))
  list(suffix = ".docx", truth = truth, save = function(path) flextable::save_as_docx(shown, path = path))
}

# ------------------------------------------------------------------ main

arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
tables <- as.integer(arguments[2])
seed <- as.integer(arguments[3])
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
if (length(arguments) > 4) programs <- programs[strsplit(arguments[5], ",")[[1]]]
sets <- if (length(arguments) > 3) separate(arguments[4]) else packaged()
sets <- Filter(Negate(is.null), lapply(sets, usable))
message(length(sets), " data sets, ", length(unique(unlist(lapply(sets, `[[`, "names")))), " names")
truths <- list()
for (k in seq_len(tables)) {
  set.seed(seed + k)
  program <- names(programs)[(k - 1) %% length(programs) + 1]
  made <- NULL
  for (attempt in 1:5) if (is.null(made)) made <- tryCatch(programs[[program]](sets), error = function(e) { message(program, ": ", conditionMessage(e)); NULL })
  if (is.null(made)) next
  name <- sprintf("%s_%d%s", program, seed + k, made$suffix)
  path <- file.path(folder, name)
  if (is.null(made$save)) writeLines(enc2utf8(made$text), path, useBytes = TRUE) else made$save(path)
  truths[[name]] <- cbind(file = name, made$truth)
}
write.csv(do.call(rbind, truths), file.path(folder, "truth.csv"), row.names = FALSE)
