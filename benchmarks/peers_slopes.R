# The model of slopes.py in lme4: Rscript peers_slopes.R slopes.csv [RUNS]
# (nlme::lme stops on these data with "false convergence (8)".)
suppressMessages(library(lme4))
given <- commandArgs(TRUE)
runs <- if (length(given) > 1) as.integer(given[2]) else 5L
d <- read.csv(given[1])
d$ARM <- factor(d$ARM); d$USUBJID <- factor(d$USUBJID)
cpu <- function(call) {
  taken <- replicate(runs, {gc(); before <- proc.time(); call(); sum((proc.time() - before)[c(1, 2)])})
  sprintf("median %.0f ms, minimum %.0f", 1e3 * median(taken), 1e3 * min(taken))
}
quick <- lmerControl(calc.derivs = FALSE)
of_lmer <- function() lmer(FVC ~ ARM * YEARS + (1 + YEARS | USUBJID), d, control = quick)
cat("lme4", format(packageVersion("lme4")), cpu(function() coef(summary(of_lmer()))),
    sprintf("-2 REML log-likelihood %.6f\n", -2 * as.numeric(logLik(of_lmer()))))
