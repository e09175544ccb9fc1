"""Step 3: set rows aside that no later step may learn from."""

import numpy as np
from langchain_core.runnables import RunnableConfig
from sklearn.model_selection import train_test_split

from ml_pipeline.folder import write_table
from ml_pipeline.state import MlState
from ml_pipeline.tables import read_table


def split(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Draw the test rows at random, with the same share of malignant tumours on both sides."""
    malignant = read_table(state["dataset"]).malignant
    train, test = train_test_split(
        np.arange(len(malignant)),
        test_size=state["test_fraction"],
        stratify=malignant,
        random_state=state["seed"],
    )
    parts = {"train": sorted(train.tolist()), "test": sorted(test.tolist())}
    rows = sorted((row, part) for part, members in parts.items() for row in members)
    write_table(config, "split.csv", ("row", "part"), rows)
    return {"train_rows": parts["train"], "test_rows": parts["test"]}
