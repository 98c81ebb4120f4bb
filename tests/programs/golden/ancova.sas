/* Written by trialmlm VERSION as the SAS program of one of its analyses, for double
     programming; it has not been run.
   Model: AVAL ~ BASE + C(ARM, Treatment('Active'))
   Data: data set trial with the columns AVAL, BASE, ARM; trialmlm used 27 rows.
   Estimation: least squares; df: residual; covariance of the estimates: as the df
     method implies.
   How the numbers compare: SAS prints four or five digits; BIC, the means of covariates
     and the margins are of the rows used, as the DATA step keeps no others.
   PROC GLM gives the same numbers. */

data work.analysis;
  set trial (keep=AVAL BASE ARM);
  format _all_;
  /* Rows with a missing value are left out here, not by the procedure: the number of
       subjects in BIC, the means of covariates and the margins of OM are then those of
       the rows used. */
  if cmiss(of AVAL BASE ARM) = 0;
run;

proc mixed data=work.analysis method=reml order=internal;
  class ARM(ref='Active');
  model AVAL = BASE ARM / solution cl ddfm=residual;
  lsmeans ARM / cl diff;
  ods output SolutionF=work.coefficients Tests3=work.tests CovParms=work.covariance
      FitStatistics=work.fit_statistics LSMeans=work.ls_means Diffs=work.differences;
run;
