/* Written by trialmlm VERSION as the SAS program of one of its analyses, for double
     programming; it has not been run.
   Model: AVAL ~ BASE * AVISIT + SEX + ARM * AVISIT + ar1h(AVISIT | ARM / USUBJID)
   Data: data set trial with the columns AVAL, BASE, AVISIT, SEX, ARM, USUBJID; trialmlm
     used 96 rows of 40 subjects.
   Estimation: REML; df: kenward-roger; covariance of the estimates: as the df method
     implies.
   How the numbers compare: SAS prints four or five digits; BIC, the means of covariates
     and the margins are of the rows used, as the DATA step keeps no others.
   PROC MIXED stops early, up to 1.3e-5 above the smallest -2 log-likelihood and 2e-4
     relative in standard errors. */

data work.analysis;
  set trial (keep=AVAL BASE AVISIT SEX ARM USUBJID);
  format _all_;
  /* Rows with a missing value are left out here, not by the procedure: the number of
       subjects in BIC, the means of covariates and the margins of OM are then those of
       the rows used. */
  if cmiss(of AVAL BASE AVISIT SEX ARM USUBJID) = 0;
  /* The visits in order, as a variable of its own for the covariance: REF= in CLASS
       moves a level to the end, and under AR(1), TOEP, ANTE(1) and their like another
       order is another model. */
  select (AVISIT);
    when ('Week 8') AVISIT_order = 1;
    when ('Week 16') AVISIT_order = 2;
    when ('Week 24') AVISIT_order = 3;
    otherwise putlog 'ERROR: a visit that the model does not know: ' AVISIT=;
  end;
run;

proc mixed data=work.analysis method=reml order=internal;
  class AVISIT(ref='Week 8') SEX(ref='F') ARM(ref='Control') AVISIT_order USUBJID;
  model AVAL = BASE AVISIT SEX ARM BASE*AVISIT AVISIT*ARM / solution cl ddfm=kr;
  repeated AVISIT_order / subject=USUBJID type=arh(1) group=ARM r rcorr;
  lsmeans AVISIT*ARM / cl diff;
  lsmeans SEX / cl diff;
  ods output SolutionF=work.coefficients Tests3=work.tests CovParms=work.covariance
      FitStatistics=work.fit_statistics ConvergenceStatus=work.convergence
      LSMeans=work.ls_means Diffs=work.differences;
run;

/* Differences of ARM within AVISIT. */
data work.differences_1;
  set work.differences;
  where AVISIT = _AVISIT and not missing(ARM) and not missing(AVISIT);
run;
