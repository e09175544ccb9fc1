"""What a server answers, in the shapes of the contract."""

from wtb_server import NOW, Json

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
EXECUTION = f"executions/{ID}"
BATCH = f"batch-tests/{ID}"


def execution(status: str) -> Json:
    return {
        "id": ID,
        "workflow_id": ID,
        "workflow": "rag",
        "status": status,
        "version": 1,
        "created_by": "test",
        "created_at": NOW,
    }


def batch(status: str, **counts: int) -> Json:
    return {
        "id": ID,
        "name": "retrievers",
        "workflow": "rag",
        "status": status,
        "counts": {"total": 4, **counts},
        "created_at": NOW,
    }
