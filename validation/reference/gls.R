# Reference numbers of nlme's gls, a second program beside R's mmrm. From this folder: Rscript gls.R
source("common.R")
suppressPackageStartupMessages(library(nlme))
trial <- read_trial()
trial <- trial[!is.na(trial$CHG), ]
growth <- read_growth()
CONTROL <- glsControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-12, msTol = 1e-13,
  opt = "nlminb")

one <- function(name, reml, model, data, correlation, weights = NULL) {
  fit <- gls(model, data, correlation = correlation, weights = weights,
    method = if (reml) "REML" else "ML", control = CONTROL)
  names <- names(coef(fit))
  # under ML gls multiplies its covariance by N / (N - q); taken back here
  back <- if (reml) 1 else sqrt((fit$dims$N - fit$dims$p) / fit$dims$N)
  list(
    call = list(formula = deparse1(model), structure = name, reml = reml),
    n_obs = fit$dims$N,
    minus2_loglik = -2 * as.numeric(logLik(fit)),
    estimate = numbers(coef(fit), names),
    std_error = numbers(back * sqrt(diag(vcov(fit))), names)
  )
}

main <- CHG ~ BASE + ARM * AVISIT
by_visit <- ~ as.integer(AVISIT) | USUBJID
each <- varIdent(form = ~ 1 | AVISIT)
time <- ~ YEARS | USUBJID
fits <- list()
for (reml in c(TRUE, FALSE)) {
  add <- function(name, correlation, weights = NULL) {
    key <- paste(name, if (reml) "reml" else "ml", sep = "_")
    fits[[key]] <<- one(name, reml, main, trial, correlation, weights)
  }
  add("us", corSymm(form = by_visit), each)
  add("cs", corCompSymm(form = by_visit))
  add("csh", corCompSymm(form = by_visit), each)
  add("ar1", corAR1(form = by_visit))
  add("ar1h", corAR1(form = by_visit), each)
  add("diag", NULL, each)
  add("sp_exp", corExp(form = time))
  add("sp_gau", corGaus(form = time))
}
# Model 2 of Jennrich and Schluchter (1986), and its kin, on the data of Potthoff and Roy (1964)
child <- ~ as.integer(AGEF) | CHILD
age <- varIdent(form = ~ 1 | AGEF)
line <- DISTANCE ~ SEX * AGE
fits[["growth_us_ml"]] <- one("us", FALSE, line, growth, corSymm(form = child), age)
fits[["growth_us_reml"]] <- one("us", TRUE, line, growth, corSymm(form = child), age)
fits[["growth_cs_ml"]] <- one("cs", FALSE, line, growth, corCompSymm(form = child))
fits[["growth_ar1_ml"]] <- one("ar1", FALSE, line, growth, corAR1(form = child))
fits[["growth_means_us_ml"]] <-
  one("us", FALSE, DISTANCE ~ SEX * AGEF, growth, corSymm(form = child), age)
write_reference("gls.json", "gls.R", fits, "nlme", c("trial.csv", "growth.csv"),
  "nlme's gls with tight tolerances; its search ends up to 2e-5 standard errors off the optimum.")
cat("gls.json:", length(fits), "fits\n")
