"""Step 3: set rows aside that no later step may learn from."""

import numpy as np
from sklearn.model_selection import train_test_split

from ml_pipeline.state import MlState
from ml_pipeline.tables import read_table


def split(state: MlState) -> MlState:
    """Draw the test rows at random, with the same share of malignant tumours on both sides."""
    malignant = read_table(state["dataset"]).malignant
    train, test = train_test_split(
        np.arange(len(malignant)),
        test_size=state["test_fraction"],
        stratify=malignant,
        random_state=state["seed"],
    )
    return {"train_rows": sorted(train.tolist()), "test_rows": sorted(test.tolist())}
