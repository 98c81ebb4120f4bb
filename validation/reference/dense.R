# Reference numbers from the textbook formulas, subject by subject, in plain R: for what no R
# package computes. No package is asked for a fit; derivatives are numerical (numDeriv) or exact
# central differences of Sigma. From this folder:  Rscript dense.R
#
# -2 log-likelihood (REML) of y_i = X_i b + e_i, e_i ~ N(0, V_i):
#   sum log|V_i| + log|X'V^-1 X| + r'V^-1 r + (N - q) log 2 pi        (ML: no second term, N)
# W = 2 H^-1, H its observed Hessian. Satterthwaite: df = 2 v^2 / (g'W g), v = l'Phi l, g = dv/dtheta.
# Kenward and Roger (1997): Phi_A = Phi + 2 Phi [sum w_hk (Q_hk - P_h Phi P_k - R_hk / 4)] Phi.
# The term R_hk needs a parameterisation: variances and correlations, as SAS's DDFM=KR.
source("common.R")
# a data set and its fixed effects; `visit` is the place of a row in Sigma, `labels` its names there
problem <- function(data, fixed, visit, labels, time = NULL) {
  data$.visit <- visit
  data <- data[!is.na(data$CHG), ]
  list(
    X = model.matrix(fixed, data), y = data$CHG, fixed = deparse1(fixed), labels = labels,
    rows = split(seq_len(nrow(data)), droplevels(data$USUBJID)), visit = data$.visit,
    time = if (is.null(time)) NULL else data[[time]]
  )
}
trial <- read_trial()
TRIAL <- problem(trial, CHG ~ BASE + ARM * AVISIT, as.integer(trial$AVISIT), levels(trial$AVISIT),
  "YEARS")
SLOPE <- problem(trial, CHG ~ BASE + ARM * YEARS, as.integer(trial$AVISIT), levels(trial$AVISIT),
  "YEARS")
two <- read_two_way()
TWO <- problem(two, CHG ~ ARM * PARAMCD * AVISIT,
  (as.integer(two$PARAMCD) - 1) * 3 + as.integer(two$AVISIT),
  paste(rep(levels(two$PARAMCD), each = 3), rep(levels(two$AVISIT), 2)))
T <- 4

sd_cor <- function(correlation) function(theta) {
  s <- sqrt(theta[1:T])
  s * t(s * correlation(theta[-(1:T)]))
}
lag <- abs(outer(1:T, 1:T, "-"))
by_visit <- function(Sigma) function(theta, p, i) {
  at <- p$visit[p$rows[[i]]]
  Sigma(theta)[at, at, drop = FALSE]
}
by_time <- function(decay) function(theta, p, i) {
  at <- p$time[p$rows[[i]]]
  theta[1] * decay(abs(outer(at, at, "-")), theta[2])
}
# two factors: entries of A, unstructured over parameters, by a correlation over visits
crossed <- function(R) by_visit(function(theta) {
  kronecker(matrix(theta[c(1, 2, 2, 3)], 2), R(theta[4]))
})
# random intercepts and slopes: Z G Z' and residual variances, one of all rows or one per visit
with_slopes <- function(residual) function(theta, p, i) {
  Z <- cbind(1, p$time[p$rows[[i]]])
  R <- residual(theta[-(1:3)], p$visit[p$rows[[i]]])
  Z %*% matrix(theta[c(1, 3, 3, 2)], 2) %*% t(Z) + diag(R, nrow(Z))
}
lag3 <- abs(outer(1:3, 1:3, "-"))
# name -> V_i(theta), the start
STRUCTURES <- list(
  diag = list(by_visit(function(theta) diag(theta)), c(3e4, 4e4, 5e4, 1e5)),
  # SAS's parameters of UN are the covariances themselves: the second-derivative term is zero
  us = list(by_visit(function(theta) {
    S <- matrix(0, T, T)
    S[lower.tri(S, diag = TRUE)] <- theta
    S + t(S) - diag(diag(S))
  }), c(3e4, 2e4, 2e4, 3e4, 4e4, 3e4, 4e4, 5e4, 5e4, 1e5)),
  csh = list(by_visit(sd_cor(function(r) r^(lag > 0))), c(3e4, 4e4, 5e4, 1e5, 0.6)),
  ar1 = list(by_visit(function(theta) theta[1] * theta[2]^lag), c(5e4, 0.6)),
  ar1h = list(by_visit(sd_cor(function(r) r^lag)), c(3e4, 4e4, 5e4, 1e5, 0.6)),
  toeph = list(by_visit(sd_cor(function(r) matrix(c(1, r)[lag + 1], T))),
    c(3e4, 4e4, 5e4, 1e5, 0.6, 0.5, 0.4)),
  adh = list(by_visit(sd_cor(function(r) {
    C <- diag(T)
    for (a in 1:(T - 1)) for (b in (a + 1):T) C[a, b] <- C[b, a] <- prod(r[a:(b - 1)])
    C
  })), c(3e4, 4e4, 5e4, 1e5, 0.6, 0.6, 0.6)),
  id = list(by_visit(function(theta) theta * diag(T)), 5e4),
  # loadings of one factor, variances of their own
  fa = list(by_visit(function(theta) tcrossprod(theta[1:T]) + diag(theta[-(1:T)])),
    c(110, 150, 200, 250, 2e4, 1.5e4, 1.5e4, 5e4)),
  toep2 = list(by_visit(function(theta) matrix(c(theta, 0, 0)[lag + 1], T)), c(5e4, 2e4)),
  toeph3 = list(by_visit(sd_cor(function(r) matrix(c(1, r, 0)[lag + 1], T))),
    c(3e4, 4e4, 5e4, 1e5, 0.5, 0.4)),
  us_cs = list(crossed(function(r) r^(lag3 > 0)), c(3e4, 500, 90, 0.4)),
  us_ar1 = list(crossed(function(r) r^lag3), c(3e4, 500, 90, 0.4)),
  slope = list(with_slopes(function(r, visit) rep(r, length(visit))), c(1.4e4, 1e5, -1e4, 1.7e4)),
  slope_diag = list(with_slopes(function(r, visit) r[visit]),
    c(1.3e4, 6e4, 3e3, 1.1e4, 1.4e4, 1.2e4, 4e4)),
  sp_exp = list(by_time(function(d, range) exp(-d / range)), c(5e4, 0.5)),
  sp_pow = list(by_time(function(d, rho) rho^d), c(5e4, 0.3)),
  sp_gau = list(by_time(function(d, range) exp(-(d / range)^2)), c(5e4, 0.5))
)

# how a formula writes them; the others by their name over visits
WRITTEN <- c(
  toep2 = "toep(AVISIT | USUBJID, bands=2)", toeph3 = "toeph(AVISIT | USUBJID, bands=3)",
  us_cs = "us_cs(PARAMCD, AVISIT | USUBJID)", us_ar1 = "us_ar1(PARAMCD, AVISIT | USUBJID)",
  slope = "(1 + YEARS | USUBJID)",
  slope_diag = "(1 + YEARS | USUBJID) + diag(AVISIT | USUBJID)",
  sp_exp = "sp_exp(YEARS | USUBJID)", sp_pow = "sp_pow(YEARS | USUBJID)",
  sp_gau = "sp_gau(YEARS | USUBJID)"
)

# V is linear in these parameters: no second derivatives, and no rounding of numerical ones
LINEAR <- c("us", "diag", "slope", "slope_diag")

parts <- function(p, V) {
  XtVX <- 0; XtVy <- 0; ytVy <- 0; logdet <- 0
  for (i in seq_along(p$rows)) {
    R <- chol(V(i))
    a <- backsolve(R, p$X[p$rows[[i]], , drop = FALSE], transpose = TRUE)
    b <- backsolve(R, p$y[p$rows[[i]]], transpose = TRUE)
    XtVX <- XtVX + crossprod(a); XtVy <- XtVy + crossprod(a, b); ytVy <- ytVy + sum(b^2)
    logdet <- logdet + 2 * sum(log(diag(R)))
  }
  list(XtVX = XtVX, XtVy = XtVy, ytVy = ytVy, logdet = logdet)
}

minus2 <- function(p, s, reml) {
  beta <- solve(s$XtVX, s$XtVy)
  s$logdet + s$ytVy - sum(s$XtVy * beta) + (length(p$y) - ncol(p$X) * reml) * log(2 * pi) +
    reml * as.numeric(determinant(s$XtVX)$modulus)
}

# a wide step: the rounding of -2l, 1e-12, is what limits a numerical gradient
gradient <- function(f, u) grad(f, u, method.args = list(d = 0.02))

fit <- function(name, reml = TRUE, kr = "none", p = TRIAL) {
  start <- STRUCTURES[[name]][[2]]
  # unknowns of order 1: the search and the differences are in multiples of the start
  V <- function(u, i) STRUCTURES[[name]][[1]](u * start, p, i)
  deviance_of <- function(u) {
    value <- try(minus2(p, parts(p, function(i) V(u, i)), reml), silent = TRUE)
    if (inherits(value, "try-error") || !is.finite(value)) 1e10 else value
  }
  # far from the optimum a derivative-free search, which does not mind values that are not possible
  u <- rep(1, length(start))
  if (length(u) > 1) {
    u <- optim(u, deviance_of, control = list(maxit = 2000, reltol = 1e-10))$par
  }
  u <- nlminb(u, deviance_of, control = list(rel.tol = 1e-12, iter.max = 500, eval.max = 2000))$par
  for (step in 1:8) {
    move <- solve(hessian(deviance_of, u), gradient(deviance_of, u))
    u <- u - move
    if (max(abs(move)) < 1e-9) break
  }
  W <- 2 * solve(hessian(deviance_of, u))
  s <- parts(p, function(i) V(u, i))
  Phi <- solve(s$XtVX)
  slope <- jacobian(function(u) diag(solve(parts(p, function(i) V(u, i))$XtVX)), u)
  df <- 2 * diag(Phi)^2 / rowSums((slope %*% W) * slope)
  vcov <- if (kr == "none") Phi else adjusted(p, V, u, Phi, W, full = kr == "full" && !name %in% LINEAR)
  names <- colnames(p$X)
  structure <- if (name %in% names(WRITTEN)) WRITTEN[[name]] else paste0(name, "(AVISIT | USUBJID)")
  method <- c(none = "satterthwaite", full = "kenward-roger", linear = "kenward-roger-linear")
  found <- list(
    call = list(formula = paste(p$fixed, "+", structure), reml = reml, df = method[[kr]]),
    gradient = max(abs(gradient(deviance_of, u))),
    n_obs = length(p$y), n_subjects = length(p$rows),
    minus2_loglik = deviance_of(u),
    estimate = numbers(Phi %*% s$XtVy, names), std_error = numbers(sqrt(diag(vcov)), names),
    df = numbers(df, names)
  )
  if (grepl("^slope", name)) {
    residual <- if (name == "slope") "Residual" else paste("Residual", p$labels)
    effects <- paste("USUBJID", c("(Intercept)", "YEARS", "(Intercept) YEARS"))
    found$variance <- numbers(u * start, c(effects, residual))
    return(found)
  }
  complete <- which(lengths(p$rows) == length(p$labels))[1]
  if (!grepl("^sp", name)) {
    order <- order(p$visit[p$rows[[complete]]])
    S <- V(u, complete)[order, order]
    dimnames(S) <- list(p$labels, p$labels)
    found$covariance <- entries(S)
  }
  found
}

# Phi_A; first and second derivatives of V_i by Richardson's differences
adjusted <- function(p, V, u, Phi, W, full) {
  n <- length(u)
  P <- rep(list(0), n)
  Q <- R <- matrix(rep(list(0), n * n), n)
  for (i in seq_along(p$rows)) {
    X <- p$X[p$rows[[i]], , drop = FALSE]
    m <- nrow(X)
    O <- solve(V(u, i))
    D <- genD(function(u) as.numeric(V(u, i)), u)$D
    first <- function(h) matrix(D[, h], m)
    # genD: first derivatives, then second ones, lower triangle by rows
    second <- function(h, k) {
      a <- max(h, k)
      matrix(D[, n + a * (a - 1) / 2 + min(h, k)], m)
    }
    OX <- O %*% X
    for (h in 1:n) {
      P[[h]] <- P[[h]] - t(OX) %*% first(h) %*% OX
      for (k in 1:n) {
        Q[[h, k]] <- Q[[h, k]] + t(OX) %*% first(h) %*% O %*% first(k) %*% OX
        R[[h, k]] <- R[[h, k]] + t(OX) %*% second(h, k) %*% OX
      }
    }
  }
  total <- 0
  for (h in 1:n) for (k in 1:n) {
    total <- total + W[h, k] * (Q[[h, k]] - P[[h]] %*% Phi %*% P[[k]] - full * R[[h, k]] / 4)
  }
  Phi + 2 * Phi %*% ((total + t(total)) / 2) %*% Phi
}

fits <- list(
  diag_reml = fit("diag"), diag_ml = fit("diag", reml = FALSE),
  sp_exp_reml = fit("sp_exp"),
  sp_pow_reml = fit("sp_pow"), sp_pow_ml = fit("sp_pow", reml = FALSE),
  sp_gau_reml = fit("sp_gau"),
  us_kr = fit("us", kr = "full"), csh_kr = fit("csh", kr = "full"),
  ar1_kr = fit("ar1", kr = "full"), ar1h_kr = fit("ar1h", kr = "full"),
  toeph_kr = fit("toeph", kr = "full"), adh_kr = fit("adh", kr = "full"),
  diag_krlinear = fit("diag", kr = "linear"),
  us_cs_reml = fit("us_cs", p = TWO), us_cs_ml = fit("us_cs", reml = FALSE, p = TWO),
  us_ar1_reml = fit("us_ar1", p = TWO), us_ar1_ml = fit("us_ar1", reml = FALSE, p = TWO),
  sp_exp_kr = fit("sp_exp", kr = "full"),
  slope_reml = fit("slope", p = SLOPE), slope_kr = fit("slope", kr = "full", p = SLOPE),
  slope_diag_reml = fit("slope_diag", p = SLOPE),
  slope_diag_ml = fit("slope_diag", reml = FALSE, p = SLOPE),
  slope_diag_kr = fit("slope_diag", kr = "full", p = SLOPE)
)
for (name in c("id", "fa", "toep2", "toeph3")) {
  fits[[paste0(name, "_reml")]] <- fit(name)
  fits[[paste0(name, "_ml")]] <- fit(name, reml = FALSE)
}
write_reference("dense.json", "dense.R", fits, "numDeriv", c("trial.csv", "two_way.csv"),
  paste("The textbook formulas in plain R, with numerical derivatives (numDeriv).",
    "Kenward-Roger's second-derivative term on variances and correlations, as SAS's DDFM=KR."))
cat("dense.json:", length(fits), "fits; largest gradient",
  format(max(vapply(fits, function(f) f$gradient, 0))), "\n")
