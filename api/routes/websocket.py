"""`/ws`: the events of many executions and batch tests over one connection."""

from fastapi import APIRouter, HTTPException, WebSocket

from api.dependencies import HubDep, SourcesDep
from api.errors import refusal
from api.security import check_key
from api.streams.conversation import Conversation

router = APIRouter()


@router.websocket("/ws")
async def follow_events(websocket: WebSocket, hub: HubDep, sources: SourcesDep) -> None:
    """Show what the client subscribes to; a stranger is refused before the connection is open."""
    try:
        check_key(websocket)
    except HTTPException as error:
        await websocket.send_denial_response(refusal(websocket, error))
        return
    await websocket.accept()
    await Conversation(websocket, sources, hub, websocket.app.state.settings.api).hold()
