# R's mmrm at the exact optimum of its own objective. Its default optimizer stops early: each fit is
# brought there by Newton steps on mmrm's own objective and Hessian, and fitted again from there.
suppressPackageStartupMessages(library(mmrm))

tight_mmrm <- function(formula, data, weights = rep(1, nrow(data)), reml = TRUE,
                       method = "Satterthwaite", vcov = NULL) {
  # mmrm looks its weights up where the formula was written
  environment(formula) <- environment()
  start <- mmrm(formula, data, weights = weights, reml = reml, optimizer = "nlminb")
  object <- start$tmb_obj
  theta <- start$theta_est
  for (step in 1:30) {
    move <- solve(object$he(theta), as.numeric(object$gr(theta)))
    theta <- theta - move
    if (max(abs(move)) < 1e-11) break
  }
  fit <- mmrm(formula, data, weights = weights, reml = reml,
    control = mmrm_control(method = method, vcov = vcov, start = theta, optimizer = "nlminb",
      optimizer_control = list(rel.tol = 1e-15, x.tol = 1e-15)))
  stopifnot(max(abs(fit$theta_est - theta)) < 1e-7)
  fit
}
