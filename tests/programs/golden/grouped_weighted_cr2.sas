/* Written by trialmlm VERSION as the SAS program of one of its analyses, for double
     programming; it has not been run.
   Model: AVAL ~ BASE * AVISIT + SEX + ARM * AVISIT + toeph(AVISIT | ARM / USUBJID)
   Data: data set trial with the columns AVAL, BASE, AVISIT, SEX, ARM, USUBJID, W;
     trialmlm used 96 rows of 40 subjects.
   Estimation: ML; df: between-within; covariance of the estimates: CR2.
   How the numbers compare: SAS prints four or five digits; BIC, the means of covariates
     and the margins are of the rows used, as the DATA step keeps no others.
   PROC MIXED stops early, up to 1.3e-5 above the smallest -2 log-likelihood and 2e-4
     relative in standard errors.
   The df of a difference of LS means may differ: each program has its own rule.
   CR2 is EMPIRICAL=ROOT of PROC GLIMMIX (Kauermann and Carroll); PROC MIXED has CR0
     only.
   Weights: V = W^-1/2 Sigma W^-1/2, as with WEIGHT. */

data work.analysis;
  set trial (keep=AVAL BASE AVISIT SEX ARM USUBJID W);
  format _all_;
  /* Rows with a missing value are left out here, not by the procedure: the number of
       subjects in BIC, the means of covariates and the margins of OM are then those of
       the rows used. */
  if cmiss(of AVAL BASE AVISIT SEX ARM USUBJID W) = 0;
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

proc glimmix data=work.analysis method=mspl order=internal empirical=root;
  class AVISIT(ref='Week 8') SEX(ref='F') ARM(ref='Control') AVISIT_order USUBJID;
  model AVAL = BASE AVISIT SEX ARM BASE*AVISIT AVISIT*ARM / solution cl ddfm=bw;
  random AVISIT_order / subject=USUBJID type=toeph group=ARM residual;
  weight W;
  lsmeans AVISIT*ARM / cl diff om;
  ods output ParameterEstimates=work.coefficients Tests3=work.tests
      CovParms=work.covariance FitStatistics=work.fit_statistics
      ConvergenceStatus=work.convergence LSMeans=work.ls_means Diffs=work.differences;
run;

/* Differences of ARM within AVISIT. */
data work.differences_1;
  set work.differences;
  where AVISIT = _AVISIT and not missing(ARM) and not missing(AVISIT);
run;
