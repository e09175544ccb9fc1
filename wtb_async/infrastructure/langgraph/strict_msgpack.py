"""LangGraph's own switch against hostile checkpoints, which it reads when it is imported.

Our saver is strict without it (`checkpoints/serializer.py`). With it, so is every other saver that
a user's code makes in our processes, and LangGraph names to ours the types of graphs that nodes
build while they run.
"""

STRICT_MSGPACK = {"LANGGRAPH_STRICT_MSGPACK": "true"}
