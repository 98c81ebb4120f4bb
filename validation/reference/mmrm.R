# Reference numbers of R's mmrm, at the exact optimum of its own objective.
# mmrm's default optimizer stops early; each fit is therefore brought to the optimum by Newton
# steps on mmrm's own objective and Hessian, and fitted again from there. From this folder:
#   Rscript mmrm.R
source("common.R")
source("tight.R")
trial <- read_trial()
FIXED <- "CHG ~ BASE + ARM * AVISIT"

one <- function(structure, reml = TRUE, method = "Satterthwaite", vcov = NULL, weighted = FALSE,
                fixed = FIXED, grid = FALSE, factor = 1) {
  formula <- as.formula(paste(fixed, "+", structure))
  w <- if (weighted) trial$W else rep(1, nrow(trial))
  fit <- tight_mmrm(formula, trial, w, reml, method, vcov)
  tab <- coef(summary(fit))
  names <- rownames(tab)
  # CR1 is CR0 times n / (n - 1), n subjects: `factor` turns the one into the other
  found <- list(
    call = list(formula = paste(fixed, "+", structure), reml = reml, method = method,
      vcov = if (is.null(vcov)) "default" else vcov, weighted = weighted, times = factor),
    gradient = max(abs(fit$tmb_obj$gr(fit$theta_est))),
    n_obs = component(fit, "n_obs"),
    n_subjects = component(fit, "n_subjects"),
    minus2_loglik = -2 * as.numeric(logLik(fit)),
    estimate = numbers(tab[, "Estimate"], names),
    std_error = numbers(tab[, "Std. Error"] * sqrt(factor), names),
    df = numbers(tab[, "df"], names),
    p_value = numbers(tab[, "Pr(>|t|)"], names)
  )
  V <- VarCorr(fit)
  if (is.matrix(V) && nrow(V) == nlevels(trial$AVISIT)) found$covariance <- entries(V)
  if (is.list(V)) {
    found$covariance <- do.call(c, lapply(names(V), function(g) {
      e <- entries(V[[g]])
      setNames(e, paste(g, names(e), sep = ": "))
    }))
  }
  if (grid) found <- c(found, differences(fit))
  found
}

# LS means by visit and their differences ACT - PBO, by rows of coefficients
differences <- function(fit) {
  visits <- levels(trial$AVISIT)
  used <- trial[!is.na(trial$CHG), ]
  base <- mean(used$BASE)
  columns <- names(coef(fit))
  mean_row <- function(arm, visit) {
    row <- setNames(numeric(length(columns)), columns)
    row["(Intercept)"] <- 1
    row["BASE"] <- base
    if (arm == "ACT") row["ARMACT"] <- 1
    if (visit != visits[1]) row[paste0("AVISIT", visit)] <- 1
    if (arm == "ACT" && visit != visits[1]) row[paste0("ARMACT:AVISIT", visit)] <- 1
    row
  }
  cells <- expand.grid(arm = levels(trial$ARM), visit = visits, stringsAsFactors = FALSE)
  L <- t(mapply(mean_row, cells$arm, cells$visit))
  means <- lapply(seq_len(nrow(L)), function(i) df_1d(fit, L[i, ]))
  labels <- paste(cells$arm, cells$visit, sep = " | ")
  D <- L[cells$arm == "ACT", ] - L[cells$arm == "PBO", ]
  diffs <- lapply(seq_len(nrow(D)), function(i) df_1d(fit, D[i, ]))
  take <- function(rows, what, labels) numbers(vapply(rows, function(r) r[[what]], 0), labels)
  # type III hypotheses; F and the df of Kenward-Roger do not depend on the rows chosen
  V <- (L[cells$arm == "ACT", ] + L[cells$arm == "PBO", ]) / 2
  hypotheses <- list(
    BASE = rbind(setNames(as.numeric(columns == "BASE"), columns)), ARM = rbind(colMeans(D)),
    AVISIT = sweep(V[-1, ], 2, V[1, ]), "ARM:AVISIT" = sweep(D[-1, ], 2, D[1, ])
  )
  tests <- lapply(hypotheses, function(H) df_md(fit, H))
  list(
    mean_estimate = take(means, "est", labels), mean_std_error = take(means, "se", labels),
    mean_df = take(means, "df", labels),
    difference_estimate = take(diffs, "est", visits),
    difference_std_error = take(diffs, "se", visits),
    difference_df = take(diffs, "df", visits),
    difference_p_value = take(diffs, "p_val", visits),
    test_statistic = take(tests, "f_stat", names(tests)),
    test_num_df = take(tests, "num_df", names(tests)),
    test_den_df = take(tests, "denom_df", names(tests))
  )
}

at <- function(name) paste0(name, "(AVISIT | USUBJID)")
fits <- list()
for (name in c("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh")) {
  for (reml in c(TRUE, FALSE)) {
    fits[[paste(name, if (reml) "reml" else "ml", sep = "_")]] <-
      one(at(name), reml = reml, grid = name == "us" && reml)
  }
}
for (name in c("us", "cs", "ar1h")) {
  grouped <- paste0(name, "(AVISIT | ARM / USUBJID)")
  fits[[paste0("group_", name, "_reml")]] <- one(grouped)
  fits[[paste0("group_", name, "_ml")]] <- one(grouped, reml = FALSE)
}
for (name in c("us", "ar1h", "toep")) {
  fits[[paste0("weighted_", name, "_reml")]] <- one(at(name), weighted = TRUE)
  fits[[paste0("weighted_", name, "_ml")]] <- one(at(name), weighted = TRUE, reml = FALSE)
}
for (name in c("sp_exp", "sp_gau")) {
  spatial <- paste0(name, "(YEARS | USUBJID)")
  fits[[paste0(name, "_reml")]] <- one(spatial)
  fits[[paste0(name, "_ml")]] <- one(spatial, reml = FALSE)
}
for (name in c("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "adh")) {
  fits[[paste0(name, "_krlinear")]] <-
    one(at(name), method = "Kenward-Roger", vcov = "Kenward-Roger-Linear", grid = name == "us")
}
fits[["group_us_krlinear"]] <- one("us(AVISIT | ARM / USUBJID)",
  method = "Kenward-Roger", vcov = "Kenward-Roger-Linear")
fits[["weighted_us_krlinear"]] <- one(at("us"), weighted = TRUE,
  method = "Kenward-Roger", vcov = "Kenward-Roger-Linear")
fits[["us_between_within"]] <- one(at("us"), method = "Between-Within")
fits[["us_residual"]] <- one(at("us"), method = "Residual", vcov = "Asymptotic")
# asymptotic: the normal distribution, whatever degrees of freedom mmrm attaches
normal <- fits[["us_reml"]]
normal$p_value <- lapply(names(normal$estimate), function(t)
  2 * pnorm(-abs(normal$estimate[[t]] / normal$std_error[[t]])))
names(normal$p_value) <- names(normal$estimate)
normal$df <- NULL
fits[["us_asymptotic"]] <- normal
sandwiches <- c(CR0 = "Empirical", CR2 = "Empirical-Bias-Reduced", CR3 = "Empirical-Jackknife")
n <- nlevels(droplevels(trial$USUBJID[!is.na(trial$CHG)]))
for (name in names(sandwiches)) {
  for (method in c("Satterthwaite", "Between-Within", "Residual")) {
    key <- paste("us", tolower(name), gsub("-", "_", tolower(method)), sep = "_")
    fits[[key]] <- one(at("us"), method = method, vcov = sandwiches[[name]])
  }
}
fits[["us_cr1_satterthwaite"]] <- one(at("us"), vcov = "Empirical", factor = n / (n - 1))
fits[["us_cr1_between_within"]] <-
  one(at("us"), method = "Between-Within", vcov = "Empirical", factor = n / (n - 1))
fits[["ar1h_cr2_satterthwaite"]] <- one(at("ar1h"), vcov = "Empirical-Bias-Reduced")
fits[["us_ml_cr0_satterthwaite"]] <- one(at("us"), reml = FALSE, vcov = "Empirical")
fits[["weighted_us_cr0_satterthwaite"]] <- one(at("us"), weighted = TRUE, vcov = "Empirical")
fits[["weighted_us_cr2_satterthwaite"]] <-
  one(at("us"), weighted = TRUE, vcov = "Empirical-Bias-Reduced")
fits[["weighted_us_cr3_satterthwaite"]] <-
  one(at("us"), weighted = TRUE, vcov = "Empirical-Jackknife")
fits[["group_us_cr2_satterthwaite"]] <-
  one("us(AVISIT | ARM / USUBJID)", vcov = "Empirical-Bias-Reduced")

write_reference("mmrm.json", "mmrm.R", fits,
  c("mmrm", "TMB", "Matrix", "Rcpp", "RcppEigen", "nlme"), "trial.csv",
  paste("R mmrm at the optimum of its own objective. Term names are R's; covariances are named",
    "by their two visits, grouped ones by arm too."))
cat("mmrm.json:", length(fits), "fits; largest gradient",
  format(max(vapply(fits, function(f) f$gradient, 0))), "\n")
