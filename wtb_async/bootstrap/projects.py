"""The configured projects, registered."""

from collections.abc import Iterable

from wtb_async.application.workflows.sync_project import ProjectGraph, sync_workflow
from wtb_async.bootstrap.platform import Platform, open_platform
from wtb_async.infrastructure.langgraph.projects import Project
from wtb_async.settings import Settings


async def sync_all_projects(settings: Settings) -> list[str]:
    """Register the graphs and variants of every configured project; answers a line for each."""
    async with open_platform(settings, role="sync", pool_size=2) as platform:
        return await sync_projects(platform.projects, platform)


async def sync_projects(projects: Iterable[Project], platform: Platform) -> list[str]:
    """Register the graphs and variants of these projects; answers a line for each graph."""
    lines: list[str] = []
    for project in projects:
        for name, graph in project.graphs.items():
            wanted = ProjectGraph(
                name=name,
                project=project.name,
                graph=graph,
                node_variants=project.variants.get(name, {}),
                workflow_variants=project.workflow_variants.get(name, {}),
            )
            done = await sync_workflow(
                wanted,
                uow_factory=platform.database.unit_of_work,
                inspector=platform.inspector,
            )
            lines.append(f"{name} ({graph}): {done}")
    platform.nudges.new_events()
    return lines
