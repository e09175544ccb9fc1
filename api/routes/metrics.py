"""Figures for Prometheus."""

from fastapi import APIRouter, Depends, Response

from api.dependencies import MetricsDep
from api.security import authenticate
from wtb_async.infrastructure.telemetry.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    operation_id="get_metrics",
    dependencies=[Depends(authenticate)],
    response_class=Response,
    responses={
        200: {
            "content": {CONTENT_TYPE: {"schema": {"type": "string"}}},
            "description": "Prometheus' text format",
        }
    },
)
async def metrics(page: MetricsDep) -> Response:
    """The system's load and soundness, a few seconds old at most."""
    return Response(await page.text(), media_type=CONTENT_TYPE)
