"""Looks at graphs in this process, whose user runs their code in it anyway."""

from collections.abc import Sequence

from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.langgraph.code_source import CodeSources
from wtb_async.infrastructure.langgraph.graph_examination import examine_graph
from wtb_async.infrastructure.langgraph.graph_loader import load_graph
from wtb_async.infrastructure.langgraph.inspection import ChannelsAt, ShownChannels
from wtb_async.infrastructure.langgraph.rebuild_channels import rebuild_channels


class InProcessInspector:
    """Loads the graphs that it looks at."""

    def __init__(self, sources: CodeSources) -> None:
        self._sources = sources

    async def inspect_graph(
        self,
        project: str,
        graph: str,
        variants: Sequence[tuple[str, str]] = (),
        *,
        workflow: str | None = None,
    ) -> JsonObject:
        """The graph's topology and schemas.

        Raises:
            InvalidInput: it does not load, one of the variants, each a `(node, reference)`,
                cannot take its node's place, or a node of the `workflow` cannot have the process
                that the project gives it.
        """
        return await examine_graph(self._sources.get(project), graph, variants, workflow)

    async def rebuild_channels(self, project: str, graph: str, wanted: ChannelsAt) -> ShownChannels:
        """Values of DeltaChannels, which the graph's reducers put together.

        Raises:
            InvalidInput: the graph does not load.
        """
        return await rebuild_channels(await load_graph(self._sources.get(project), graph), wanted)
