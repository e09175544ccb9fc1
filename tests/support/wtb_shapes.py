"""What a server answers, in the shapes of the contract."""

from wtb_server import NOW, Json

from wtb_async.domain.json import JsonValue

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
EXECUTION = f"executions/{ID}"
BATCH = f"batch-tests/{ID}"


def execution(status: str, **fields: JsonValue) -> Json:
    return {
        "id": ID,
        "workflow_id": ID,
        "workflow": "rag",
        "status": status,
        "version": 1,
        "created_by": "test",
        "created_at": NOW,
        **fields,
    }


def batch(status: str, **counts: int) -> Json:
    return {
        "id": ID,
        "name": "retrievers",
        "workflow": "rag",
        "status": status,
        "counts": {"total": 4, **counts},
        "version": 1,
        "created_at": NOW,
    }


def node_boundary(node: str, status: str, **fields: JsonValue) -> Json:
    return {
        "node": node,
        "task_id": "t-1",
        "attempt": 1,
        "status": status,
        "entry_checkpoint_id": "c-1",
        "started_at": NOW,
        "finished_at": NOW,
        "duration_ms": 12.34,
        **fields,
    }
