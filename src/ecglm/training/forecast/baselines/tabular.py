"""Logistic regression and boosted trees on `features`. Settings are fixed here; nothing was searched."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from ecglm.training.forecast.baselines.features import features, table
from ecglm.training.forecast.baselines.method import Example, Floats, Ints, balanced, spread


class _Tabular(ABC):
    """Numbers of windows, kept by item: every subject left out asks for most of them again."""

    name = ""

    def __init__(self, seed: int = 0, kept: dict[Any, Floats] | None = None) -> None:
        self.seed = seed
        self._kept: dict[Any, Floats] = {} if kept is None else kept
        self._columns: list[int] = []
        self._model: Any = None
        self._known = np.ones(0, bool)

    def numbers(self, examples: Sequence[Example]) -> Floats:
        """``[N, F]``, as `table` has them: trees do not mind."""
        for one in examples:
            if one.item not in self._kept:
                self._kept[one.item] = features(one.beats)
        return table(np.stack([self._kept[one.item] for one in examples]))

    def fit(self, examples: Sequence[Example], labels: Ints) -> None:
        """Learn; classes count the same."""
        self._columns = np.unique(labels).tolist()
        self._model = self.make() if len(self._columns) > 1 else None
        if self._model is not None:
            numbers = self.numbers(examples)
            self._known = np.asarray(np.isfinite(numbers).any(axis=0))  # short windows have no spectra
            self.teach(numbers[:, self._known], np.searchsorted(self._columns, labels), balanced(labels))

    @abstractmethod
    def make(self) -> Any:
        """A model that has learnt nothing."""

    def teach(self, x_NF: Floats, y_N: Ints, weight_N: Floats) -> None:
        """Fit the model."""
        self._model.fit(x_NF, y_N, sample_weight=weight_N)

    def predict_proba(self, examples: Sequence[Example]) -> Floats:
        """``[N, 3]``; the only class there was, where there was one."""
        if self._model is None:
            return spread(np.ones((len(examples), 1)), self._columns)
        numbers = self.numbers(examples)[:, self._known]
        return spread(np.asarray(self._model.predict_proba(numbers), float), self._columns)


class Logistic(_Tabular):
    """Penalised (C = 0.3) on standardised numbers, medians where they are not known."""

    name = "HRV + ectopy, logistic regression"

    def make(self) -> Any:
        """Pipeline."""
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(C=0.3, max_iter=2000))

    def teach(self, x_NF: Floats, y_N: Ints, weight_N: Floats) -> None:
        """Fit the pipeline."""
        self._model.fit(x_NF, y_N, logisticregression__sample_weight=weight_N)


class Boosted(_Tabular):
    """XGBoost where it is installed (``pip install 'ecglm[forecast]'``), otherwise scikit-learn's boosting, and so named."""

    def __init__(self, seed: int = 0, kept: dict[Any, Floats] | None = None) -> None:
        super().__init__(seed, kept)
        self.xgboost = find_spec("xgboost") is not None
        self.name = f"HRV + ectopy, {'XGBoost' if self.xgboost else 'HistGradientBoosting (no xgboost here)'}"

    def make(self) -> Any:
        """200 trees of depth 3."""
        if self.xgboost:
            from xgboost import XGBClassifier

            return XGBClassifier(n_estimators=200, max_depth=3, learning_rate=0.05, subsample=0.8, colsample_bytree=0.8,
                                 min_child_weight=2, random_state=self.seed, n_jobs=1)
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(max_iter=200, max_depth=3, learning_rate=0.05, min_samples_leaf=5,
                                              early_stopping=False, random_state=self.seed)
