"""Step 1: read the table."""

from ml_pipeline.state import MlState
from ml_pipeline.tables import read_table


def load(state: MlState) -> MlState:
    """Record which table the run is about.

    Raises:
        UnknownDatasetError: there is no dataset of the name that the input gives.
    """
    table = read_table(state.get("dataset", ""))
    rows, columns = table.values.shape
    return {"data": {"rows": rows, "columns": columns, "sha256": table.digest()}}
