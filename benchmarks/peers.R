# CPU time of the same FEV model in nlme and lme4, for a paired run with fev.py.
#
#     Rscript benchmarks/peers.R DIR [RUNS]
#
# DIR holds fev_data.csv. The unstructured covariance is gls's general correlation with a variance
# for each visit, and lmer's correlated visit effects with a residual that it cannot tell apart.

given <- commandArgs(trailingOnly = TRUE)
if (length(given) < 1) stop("give the folder that holds fev_data.csv")
runs <- if (length(given) > 1) as.integer(given[[2]]) else 20L

fev <- read.csv(file.path(given[[1]], "fev_data.csv"))
fev <- fev[!is.na(fev$FEV1), ]
fev$SEX <- factor(fev$SEX, levels = c("Male", "Female"))
fev$AVISIT <- factor(fev$AVISIT)
fev$USUBJID <- factor(fev$USUBJID)

gls_fit <- function() {
  fit <- nlme::gls(
    FEV1 ~ RACE + SEX + ARMCD * AVISIT,
    data = fev,
    correlation = nlme::corSymm(form = ~ as.integer(AVISIT) | USUBJID),
    weights = nlme::varIdent(form = ~ 1 | AVISIT)
  )
  summary(fit)$tTable
  fit
}

lmer_fit <- function() {
  fit <- lme4::lmer(
    FEV1 ~ RACE + SEX + ARMCD * AVISIT + (0 + AVISIT | USUBJID),
    data = fev,
    control = lme4::lmerControl(check.nobs.vs.nRE = "ignore", calc.derivs = FALSE)
  )
  summary(fit)$coefficients
  fit
}

cpu_ms <- function(call) {
  spent <- system.time(fit <- suppressWarnings(suppressMessages(call())), gcFirst = TRUE)
  list(ms = 1000 * sum(spent[c("user.self", "sys.self")]), fit = fit)
}

measured <- function(name, call) {
  first <- cpu_ms(call)
  ms <- vapply(seq_len(runs), function(i) cpu_ms(call)$ms, numeric(1))
  data.frame(
    program = name,
    first_ms = round(first$ms, 1),
    median_ms = round(median(ms), 1),
    min_ms = round(min(ms), 1),
    minus2_reml = format(-2 * as.numeric(logLik(first$fit)), digits = 12)
  )
}

versions <- sapply(c("nlme", "lme4"), function(name) as.character(packageVersion(name)))
print(rbind(
  measured(paste("nlme::gls", versions[["nlme"]]), gls_fit),
  measured(paste("lme4::lmer", versions[["lme4"]]), lmer_fit)
), row.names = FALSE)
