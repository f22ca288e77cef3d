"""``products.delay_predictions``: the delay model, trained on released data only, and what it says of later months."""

import hashlib
import pickle
from dataclasses import dataclass

import dagster
import numpy as np
import pandas as pd

import ecluse
import expectations.products.delay_predictions
from ecluse.project import Project

#: The model learns from the months up to September and is judged on the others.
LAST_TRAINING_MONTH = 9
#: Columns that tell a flight apart, and the label: nothing to learn from.
NOT_FEATURES = ["flight_id", "time_hour", "tailnum", "late"]


@dataclass(frozen=True)
class Trained:
    """A fitted model: its bytes, the later flights that it is judged on, how likely each is late, and its score."""

    content: bytes
    later: pd.DataFrame
    probability: np.ndarray
    auc: float

    @property
    def sha256(self) -> str:
        """The model's digest."""
        return hashlib.sha256(self.content).hexdigest()


def train(flights: pd.DataFrame) -> Trained:
    """Gradient boosting on what was known before departure; the same rows give the same model."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    flights = flights.sort_values("flight_id", ignore_index=True)
    features = flights.drop(columns=NOT_FEATURES)
    for column in ("carrier", "origin", "dest"):
        features[column] = features[column].astype("category")
    label = flights["late"].astype(bool)
    training = flights["month"] <= LAST_TRAINING_MONTH
    model = HistGradientBoostingClassifier(max_iter=100, categorical_features="from_dtype", random_state=0)
    model.fit(features[training], label[training])
    probability = model.predict_proba(features[~training])[:, 1]
    auc = float(roc_auc_score(label[~training], probability))
    return Trained(pickle.dumps(model), flights[~training], probability, auc)


@ecluse.asset(
    "products.delay_predictions",
    guard=expectations.products.delay_predictions,
    group_name="products",
    deps=[dagster.AssetKey(["products", "delay_features"])],
)
def delay_predictions() -> pd.DataFrame:
    """How likely each flight of October to December is late.

    The features come through the door, so a release that is not approved trains nothing. Every row carries the digest
    of the model that made it and of the ``data.lock`` that names the model's data. From these rows the charter's KPI
    ``auc`` is computed: ``ecluse kpi observe auc``.
    """
    models = Project.find().state / "models"
    models.mkdir(parents=True, exist_ok=True)
    lock = models / "data.lock"
    features = ecluse.load("products.delay_features", purpose="delay-prediction", lock=lock)
    trained = train(features.pandas())
    (models / f"{trained.sha256}.pickle").write_bytes(trained.content)
    return trained.later[["flight_id", "time_hour", "carrier"]].assign(
        late_probability=trained.probability,
        model_sha256=trained.sha256,
        lock_sha256=hashlib.sha256(lock.read_bytes()).hexdigest(),
    )
