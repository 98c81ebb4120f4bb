# Reference numbers of lme4, lmerTest and pbkrtest: random intercepts and slopes. From this folder:
#   Rscript lmm.R
source("common.R")
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(pbkrtest)
})
trial <- read_trial()
growth <- read_growth()
CONTROL <- lmerControl(optimizer = "bobyqa",
  optCtrl = list(maxfun = 1e6, rhobeg = 1e-3, rhoend = 1e-14))

# lme4's own deviance function, brought to its optimum by Newton steps with numerical derivatives
optimum <- function(formula, data, reml) {
  fit <- lmer(formula, data, REML = reml, control = CONTROL)
  deviance_of <- update(fit, devFunOnly = TRUE)
  theta <- getME(fit, "theta")
  for (step in 1:10) {
    move <- solve(hessian(deviance_of, theta), grad(deviance_of, theta))
    if (deviance_of(theta - move) > deviance_of(theta) + 1e-9) break
    theta <- theta - move
    if (max(abs(move)) < 1e-10) break
  }
  list(theta = theta, gradient = max(abs(grad(deviance_of, theta))))
}

one <- function(formula, data, reml, ddf) {
  best <- optimum(formula, data, reml)
  # maxfun 1: evaluated where it starts, at the optimum
  fit <- suppressWarnings(lmerTest::lmer(formula, data, REML = reml, start = best$theta,
    control = lmerControl(optimizer = "nloptwrap", calc.derivs = FALSE,
      optCtrl = list(maxeval = 1))))
  stopifnot(max(abs(getME(fit, "theta") - best$theta)) < 1e-6)
  tab <- coef(summary(fit, ddf = ddf))
  names <- rownames(tab)
  v <- as.data.frame(VarCorr(fit))
  label <- ifelse(is.na(v$var1), v$grp,
    ifelse(is.na(v$var2), paste(v$grp, v$var1), paste(v$grp, v$var1, v$var2)))
  list(
    call = list(formula = deparse1(formula), reml = reml, ddf = ddf),
    gradient = best$gradient,
    n_obs = nobs(fit), n_subjects = as.integer(ngrps(fit)[[1]]),
    minus2_loglik = -2 * as.numeric(logLik(fit)),
    estimate = numbers(tab[, "Estimate"], names),
    std_error = numbers(tab[, "Std. Error"], names),
    df = numbers(tab[, "df"], names),
    variance = numbers(v$vcov, label)
  )
}

slope <- CHG ~ BASE + ARM * YEARS + (1 + YEARS | USUBJID)
children <- DISTANCE ~ SEX * AGE + (1 + AGE | CHILD)
boys <- DISTANCE ~ SEX * AGE + (1 | CHILD)
fits <- list(
  trial_slope_reml = one(slope, trial, TRUE, "Satterthwaite"),
  trial_slope_ml = one(slope, trial, FALSE, "Satterthwaite"),
  trial_slope_kr = one(slope, trial, TRUE, "Kenward-Roger"),
  growth_slope_reml = one(children, growth, TRUE, "Satterthwaite"),
  growth_slope_kr = one(children, growth, TRUE, "Kenward-Roger"),
  growth_intercept_kr = one(boys, growth, TRUE, "Kenward-Roger"),
  growth_intercept_ml = one(boys, growth, FALSE, "Satterthwaite")
)
write_reference("lmm.json", "lmm.R", fits, c("lme4", "lmerTest", "pbkrtest", "numDeriv"),
  c("trial.csv", "growth.csv"),
  paste("lme4 at the optimum of its own deviance; Satterthwaite of lmerTest (observed information,",
    "numerical derivatives), Kenward-Roger of pbkrtest (expected information)."))
cat("lmm.json:", length(fits), "fits; largest gradient",
  format(max(vapply(fits, function(f) f$gradient, 0))), "\n")
