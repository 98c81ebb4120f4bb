/* Written by trialmlm VERSION as the SAS program of one of its analyses, for double
     programming; it has not been run.
   Model: AVAL ~ log(BASE) + ARM * YEARS + (1 + YEARS | USUBJID)
   Data: data set trial with the columns AVAL, BASE, ARM, YEARS, USUBJID; trialmlm used
     96 rows of 40 subjects.
   Estimation: REML; df: kenward-roger; covariance of the estimates: as the df method
     implies.
   How the numbers compare: SAS prints four or five digits; BIC, the means of covariates
     and the margins are of the rows used, as the DATA step keeps no others.
   PROC MIXED stops early, up to 1.3e-5 above the smallest -2 log-likelihood and 2e-4
     relative in standard errors. */

data work.analysis;
  set trial (keep=AVAL BASE ARM YEARS USUBJID);
  format _all_;
  /* Rows with a missing value are left out here, not by the procedure: the number of
       subjects in BIC, the means of covariates and the margins of OM are then those of
       the rows used. */
  if cmiss(of AVAL BASE ARM YEARS USUBJID) = 0;
  log_BASE = log(BASE);
run;

proc mixed data=work.analysis method=reml order=internal;
  class ARM(ref='Control') USUBJID;
  model AVAL = log_BASE ARM YEARS ARM*YEARS / solution cl ddfm=kr;
  random int YEARS / subject=USUBJID type=un g;
  lsmeans ARM / cl diff at (log_BASE YEARS) = (3.9190068945358254 0.46);
  ods output SolutionF=work.coefficients Tests3=work.tests CovParms=work.covariance
      FitStatistics=work.fit_statistics ConvergenceStatus=work.convergence
      LSMeans=work.ls_means Diffs=work.differences;
run;
