/* Written by trialmlm VERSION as the SAS program of one of its analyses, for double
     programming; it has not been run.
   Model: AVAL ~ ARM * YEARS + sp_exp(YEARS | USUBJID)
   Data: data set trial with the columns AVAL, ARM, YEARS, USUBJID; trialmlm used 96
     rows of 40 subjects.
   Estimation: REML; df: satterthwaite; covariance of the estimates: as the df method
     implies.
   How the numbers compare: SAS prints four or five digits; BIC, the means of covariates
     and the margins are of the rows used, as the DATA step keeps no others.
   PROC MIXED stops early, up to 1.3e-5 above the smallest -2 log-likelihood and 2e-4
     relative in standard errors.
   The df of F tests with several rows depend on the rows that span the hypothesis, and
     differ by a few; F itself does not. */

data work.analysis;
  set trial (keep=AVAL ARM YEARS USUBJID);
  format _all_;
  /* Rows with a missing value are left out here, not by the procedure: the number of
       subjects in BIC, the means of covariates and the margins of OM are then those of
       the rows used. */
  if cmiss(of AVAL ARM YEARS USUBJID) = 0;
run;

proc mixed data=work.analysis method=reml order=internal;
  class ARM(ref='Control') USUBJID;
  model AVAL = ARM YEARS ARM*YEARS / solution cl ddfm=satterthwaite;
  repeated / subject=USUBJID type=sp(exp)(YEARS) r rcorr;
  lsmeans ARM / cl diff;
  ods output SolutionF=work.coefficients Tests3=work.tests CovParms=work.covariance
      FitStatistics=work.fit_statistics ConvergenceStatus=work.convergence
      LSMeans=work.ls_means Diffs=work.differences;
run;
