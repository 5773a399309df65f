"""Which scikit-learn classes have a translation, method by method.

The table is the registry's own part: ``family.function`` translates ``method`` of every class in its line. Families are
imported when one of their classes is first met.
"""

from __future__ import annotations

_LINES = """
linear.translate_linear predict: LinearRegression Ridge RidgeCV Lasso LassoCV ElasticNet ElasticNetCV Lars LarsCV
  LassoLars LassoLarsCV LassoLarsIC OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV BayesianRidge ARDRegression
  HuberRegressor QuantileRegressor TheilSenRegressor SGDRegressor PassiveAggressiveRegressor LinearSVR MultiTaskLasso
  MultiTaskLassoCV MultiTaskElasticNet MultiTaskElasticNetCV
linear.translate_linear decision_function: LogisticRegression LogisticRegressionCV RidgeClassifier RidgeClassifierCV
  LinearSVC SGDClassifier Perceptron PassiveAggressiveClassifier LinearDiscriminantAnalysis
linear.translate_generalized predict: PoissonRegressor GammaRegressor TweedieRegressor
linear.translate_linear_spread predict_std: BayesianRidge ARDRegression
linear.translate_probabilities predict_proba: LogisticRegression LogisticRegressionCV LinearDiscriminantAnalysis
  SGDClassifier
linear.translate_one_class decision_function score_samples: SGDOneClassSVM
svm.translate_support_vectors predict: SVR NuSVR
svm.translate_support_vectors decision_function score_samples: OneClassSVM
svm.translate_votes decision_function: SVC NuSVC
svm.translate_platt predict_proba: SVC NuSVC
kernel_methods.translate_kernel_ridge predict: KernelRidge
kernel_methods.translate_kernel_components transform: KernelPCA
kernel_methods.translate_nystroem transform: Nystroem
kernel_methods.translate_fourier transform: RBFSampler
kernel_methods.translate_skewed transform: SkewedChi2Sampler
kernel_methods.translate_additive transform: AdditiveChi2Sampler
kernel_methods.translate_sketch transform: PolynomialCountSketch
kernel_methods.translate_centerer transform: KernelCenterer
kernel_methods.translate_spread_labels predict_proba: LabelPropagation LabelSpreading
gaussian_process.translate_gaussian_process predict: GaussianProcessRegressor
gaussian_process.translate_spread predict_std predict_cov: GaussianProcessRegressor
gaussian_process_classifier.translate_classifier predict_proba: GaussianProcessClassifier
neural.translate_network predict: MLPRegressor
neural.translate_network predict_proba: MLPClassifier
neural.translate_boltzmann transform: BernoulliRBM
projection.translate_latent_regression predict: PLSRegression PLSCanonical CCA
projection.translate_latent_scores transform: PLSRegression PLSCanonical CCA PLSSVD
projection.translate_projection transform: PCA IncrementalPCA TruncatedSVD FactorAnalysis FastICA
  LinearDiscriminantAnalysis GaussianRandomProjection SparseRandomProjection NeighborhoodComponentsAnalysis
projection.translate_sparse_components transform: SparsePCA MiniBatchSparsePCA
projection.translate_pools transform: FeatureAgglomeration
words.translate_codes transform: DictionaryLearning MiniBatchDictionaryLearning SparseCoder
words.translate_weights transform: TfidfTransformer
words.translate_topics transform: LatentDirichletAllocation
scaling.translate_standard transform: StandardScaler
scaling.translate_range transform: MinMaxScaler
scaling.translate_largest transform: MaxAbsScaler
scaling.translate_robust transform: RobustScaler
scaling.translate_norm transform: Normalizer
scaling.translate_inverse inverse_transform: StandardScaler MinMaxScaler MaxAbsScaler RobustScaler
power.translate_power transform: PowerTransformer
power.translate_inverse_power inverse_transform: PowerTransformer
quantile.translate_quantile transform: QuantileTransformer
quantile.translate_inverse_quantile inverse_transform: QuantileTransformer
quantile.translate_isotonic predict transform: IsotonicRegression
basis.translate_polynomial transform: PolynomialFeatures
basis.translate_spline transform: SplineTransformer
codes.translate_binarizer transform: Binarizer
codes.translate_bins transform: KBinsDiscretizer
columns.translate_columns transform: ColumnTransformer
columns.translate_union transform: FeatureUnion
columns.translate_selection transform: SelectKBest SelectPercentile SelectFdr SelectFpr SelectFwe SelectFromModel
  GenericUnivariateSelect SequentialFeatureSelector VarianceThreshold RFE RFECV
columns.translate_imputer transform: SimpleImputer KNNImputer IterativeImputer
custom.translate_function transform: FunctionTransformer
custom.translate_inverse_function inverse_transform: FunctionTransformer
pipeline.translate_pipeline predict predict_std predict_cov predict_proba decision_function transform score_samples:
  Pipeline
pipeline.translate_inverse_pipeline inverse_transform: Pipeline
bayes.translate_joint decision_function: QuadraticDiscriminantAnalysis NearestCentroid
bayes.translate_posterior predict_proba: QuadraticDiscriminantAnalysis GaussianNB MultinomialNB ComplementNB BernoulliNB
  NearestCentroid
mixture.translate_responsibilities predict_proba: GaussianMixture BayesianGaussianMixture
mixture.translate_density score_samples: GaussianMixture BayesianGaussianMixture
mixture.translate_gaussian score_samples: PCA FactorAnalysis
mixture.translate_ellipse decision_function score_samples: EllipticEnvelope
mixture.translate_kernel_density score_samples: KernelDensity
mixture.translate_distances transform: KMeans MiniBatchKMeans BisectingKMeans Birch
ensemble.translate_voting predict: VotingRegressor
ensemble.translate_voting predict_proba: VotingClassifier
ensemble.translate_votes transform: VotingRegressor VotingClassifier
ensemble.translate_stacking predict: StackingRegressor
ensemble.translate_stacking predict_proba decision_function: StackingClassifier
ensemble.translate_stacked transform: StackingRegressor StackingClassifier
ensemble.translate_bagging predict: BaggingRegressor
ensemble.translate_bagging predict_proba decision_function: BaggingClassifier
several.translate_outputs predict: MultiOutputRegressor
several.translate_outputs predict_proba: MultiOutputClassifier
several.translate_chain predict: RegressorChain
several.translate_chain predict_proba decision_function: ClassifierChain
several.translate_rest predict_proba decision_function: OneVsRestClassifier
several.translate_pairs decision_function: OneVsOneClassifier
wrapper.translate_inner predict predict_std predict_cov predict_proba decision_function transform score_samples:
  GridSearchCV RandomizedSearchCV HalvingGridSearchCV HalvingRandomSearchCV FrozenEstimator
wrapper.translate_inner predict: RANSACRegressor
wrapper.translate_inner predict_proba decision_function: SelfTrainingClassifier TunedThresholdClassifierCV
  FixedThresholdClassifier
wrapper.translate_selected predict predict_proba decision_function: RFE RFECV
wrapper.translate_target predict: TransformedTargetRegressor
wrapper.translate_calibrated predict_proba: CalibratedClassifierCV
"""

METHODS = (
    *("predict", "predict_std", "predict_cov", "predict_proba", "decision_function", "transform", "score_samples"),
)
"""What `from_sklearn` can translate; ``inverse_transform`` exists inside translations alone."""


def _read(lines: str) -> dict[tuple[str, str], str]:
    table = {}
    for line in lines.replace("\n  ", " ").strip().splitlines():
        head, classes = line.split(":")
        function, *methods = head.split()
        table.update({(name, method): function for name in classes.split() for method in methods})
    return table


BUILT_IN = _read(_LINES)
"""(class name, method) → ``family.function``."""

SUPPORTED = sorted({name for name, _ in BUILT_IN})
"""Names of all classes with a translation."""
