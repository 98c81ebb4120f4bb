# Reference numbers of LS means, contrasts, adjustments and types of tests: R's mmrm (at its exact
# optimum) with emmeans, mvtnorm and p.adjust. From this folder: Rscript means.R
source("common.R")
source("tight.R")
suppressPackageStartupMessages({
  library(emmeans)
  library(mvtnorm)
})
trial <- read_trial()
FORMULA <- "CHG ~ BASE + SEX + STRATUM + ARM * AVISIT + us(AVISIT | USUBJID)"
used <- trial[!is.na(trial$CHG), ]
linear <- tight_mmrm(as.formula(FORMULA), trial, method = "Kenward-Roger",
  vcov = "Kenward-Roger-Linear")
plain <- tight_mmrm(as.formula(FORMULA), trial, method = "Residual", vcov = "Asymptotic")
call_of <- function(df) list(formula = FORMULA, reml = TRUE, df = df)

columns <- function(frame, labels, prefix, names = c("estimate", "SE", "df", "p.value")) {
  ours <- c("estimate", "std_error", "df", "p_value")
  kept <- names %in% colnames(frame)
  out <- lapply(names[kept], function(n) numbers(frame[[n]], labels))
  setNames(out, paste0(prefix, ours[kept]))
}

# LS means of the arms by visit, and ACT - PBO
means <- function(weights) {
  grid <- emmeans(linear, ~ ARM | AVISIT, weights = weights)
  m <- as.data.frame(summary(grid))
  d <- as.data.frame(summary(contrast(grid, "revpairwise"), adjust = "none"))
  c(list(call = call_of("kenward-roger-linear")),
    columns(m, paste(m$ARM, m$AVISIT, sep = " | "), "mean_", c("emmean", "SE", "df", "none")),
    columns(d, d$AVISIT, "difference_"))
}

# every subject with a row used, set to each arm and visit, at its own covariates
counterfactual <- function() {
  subjects <- used[!duplicated(used$USUBJID), ]
  cells <- expand.grid(ARM = levels(trial$ARM), AVISIT = levels(trial$AVISIT))
  rows <- lapply(seq_len(nrow(cells)), function(i) {
    set <- transform(subjects, ARM = cells$ARM[i], AVISIT = cells$AVISIT[i])
    colMeans(model.matrix(~ BASE + SEX + STRATUM + ARM * AVISIT, set))
  })
  found <- lapply(rows, function(L) df_1d(linear, L))
  pull <- function(list, what, labels) numbers(vapply(list, function(r) r[[what]], 0), labels)
  labels <- paste(cells$ARM, cells$AVISIT, sep = " | ")
  visits <- levels(trial$AVISIT)
  row <- function(arm, visit) rows[[which(labels == paste(arm, visit, sep = " | "))]]
  apart <- lapply(visits, function(v) df_1d(linear, row("ACT", v) - row("PBO", v)))
  list(call = call_of("kenward-roger-linear"),
    mean_estimate = pull(found, "est", labels), mean_std_error = pull(found, "se", labels),
    mean_df = pull(found, "df", labels),
    difference_estimate = pull(apart, "est", visits),
    difference_std_error = pull(apart, "se", visits), difference_df = pull(apart, "df", visits))
}

# the three strata: all pairs (earlier less later), adjusted
pairs_of <- function(method, adjusted = NULL) {
  s <- as.data.frame(summary(contrast(emmeans(linear, ~ STRATUM), "pairwise"),
    adjust = if (method == "tukey") "tukey" else "none"))
  raw <- as.data.frame(summary(contrast(emmeans(linear, ~ STRATUM), "pairwise"), adjust = "none"))
  labels <- as.character(raw$contrast)
  p <- switch(method, tukey = s$p.value, sidak = 1 - (1 - raw$p.value)^3,
    "fixed-sequence" = cummax(raw$p.value), p.adjust(raw$p.value, method))
  c(list(call = call_of("kenward-roger-linear")), columns(raw, labels, "contrast_"),
    list(contrast_p_adjusted = numbers(p, labels)))
}

# against the first stratum; whole-numbered df and two contrasts: the bivariate t by TVPACK
dunnett <- function() {
  grid <- emmeans(plain, ~ STRATUM)
  against <- contrast(grid, "trt.vs.ctrl", ref = 1)
  raw <- as.data.frame(summary(against, adjust = "none"))
  R <- cov2cor(vcov(against))
  df <- unique(raw$df)
  stopifnot(length(df) == 1, df == round(df))
  below <- function(a, b) {
    pmvt(upper = c(a, b), df = as.integer(df), corr = R, algorithm = TVPACK(abseps = 1e-13))[1]
  }
  # outside the square of side 2t
  p <- vapply(abs(raw$t.ratio), function(t) {
    1 - (below(t, t) - below(-t, t) - below(t, -t) + below(-t, -t))
  }, 0)
  labels <- as.character(raw$contrast)
  c(list(call = call_of("residual")), columns(raw, labels, "contrast_"),
    list(contrast_p_adjusted = numbers(p, labels)))
}

# Tests by rows of coefficients; F and df of Kenward-Roger do not depend on the rows chosen. Type I of
# a term: X1' M0 X, M0 the residual of the terms before it; type II, of all that do not contain it.
# mmrm's own type II
# (0.3.18) takes a generalized inverse of X0'X0 whose tolerance drops directions when a covariate has
# a large unit, as BASE in mL here: it is used with BASE in litres, as a check.
X <- model.matrix(~ BASE + SEX + STRATUM + ARM * AVISIT, used)
term <- attr(X, "assign")
terms <- attr(terms(~ BASE + SEX + STRATUM + ARM * AVISIT), "term.labels")
# X1' M0 X, `before` the terms whose columns M0 takes out
rows_of <- function(name, before) {
  out <- term %in% c(0, match(before, terms))
  M0X <- qr.resid(qr(X[, out, drop = FALSE]), X)
  L <- t(X[, term == match(name, terms), drop = FALSE]) %*% M0X
  L[, out] <- 0
  L
}
type_one <- function(name) rows_of(name, terms[seq_len(match(name, terms) - 1)])
type_two <- function(name) {
  own <- strsplit(name, ":")[[1]]
  contains <- vapply(strsplit(terms, ":"), function(parts) all(own %in% parts), NA)
  rows_of(name, terms[!contains])
}
tests <- function(rows) {
  found <- lapply(rows, function(L) df_md(linear, L))
  take <- function(what) numbers(vapply(found, function(f) f[[what]], 0), names(rows))
  list(call = call_of("kenward-roger-linear"), test_statistic = take("f_stat"),
    test_num_df = take("num_df"), test_den_df = take("denom_df"))
}
one <- tests(setNames(lapply(terms, type_one), terms))
two <- tests(setNames(lapply(terms, type_two), terms))
litres <- tight_mmrm(as.formula(FORMULA), transform(trial, BASE = BASE / 1000),
  method = "Kenward-Roger", vcov = "Kenward-Roger-Linear")
stopifnot(all.equal(mmrm:::Anova.mmrm(litres, type = "II")$F, as.numeric(two$test_statistic),
  tolerance = 1e-6))
three <- mmrm:::Anova.mmrm(linear, type = "III")
three <- list(call = call_of("kenward-roger-linear"), test_statistic = numbers(three$F, terms),
  test_num_df = numbers(three$Df, terms), test_den_df = numbers(three$Res.Df, terms))

fits <- list(
  means_equal = means("equal"), means_proportional = means("proportional"),
  means_counterfactual = counterfactual(),
  pairs_bonferroni = pairs_of("bonferroni"), pairs_holm = pairs_of("holm"),
  pairs_hochberg = pairs_of("hochberg"), pairs_sidak = pairs_of("sidak"),
  pairs_fixed_sequence = pairs_of("fixed-sequence"), pairs_tukey = pairs_of("tukey"), dunnett = dunnett(),
  type_one = one, type_two = two, type_three = three
)
write_reference("means.json", "means.R", fits, c("mmrm", "TMB", "emmeans", "mvtnorm"),
  "trial.csv", paste("LS means by emmeans on R mmrm at the optimum of its own",
    "objective; counterfactual means from rows averaged over subjects; Dunnett by TVPACK."))
cat("means.json:", length(fits), "sets\n")
