"""Trees of executions as text."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from wtb_async.cli.execution_views import STYLES
from wtb_async.sdk.execution_tree import ExecutionTree, Timeline
from wtb_async.sdk.models import Checkpoint, Execution


def print_tree(console: Console, tree: ExecutionTree) -> None:
    """Print timelines from top to bottom, each fork and branch below the checkpoint it left at."""
    root = Tree(_execution(tree.execution))
    _grow(root, tree)
    console.print(root, soft_wrap=True)


def _grow(node: Tree, tree: ExecutionTree) -> None:
    shown = {each.checkpoint_id for line in tree.timelines for each in line.checkpoints}
    for timeline in tree.timelines:
        if timeline.forked_from not in shown:
            _add_timeline(node, timeline, tree)
    for branch in tree.branches:
        if branch.begins_at not in shown:
            _add_branch(node, branch)


def _add_timeline(node: Tree, timeline: Timeline, tree: ExecutionTree) -> None:
    mark = " (current)" if timeline.is_current else ""
    line = node.add(f"timeline {timeline.thread_id}{mark}", style="bold" if mark else "dim")
    for checkpoint in timeline.checkpoints:
        point = line.add(_checkpoint(checkpoint))
        for fork in _forks_at(checkpoint, tree.timelines):
            _add_timeline(point, fork, tree)
        for branch in tree.branches:
            if branch.begins_at == checkpoint.checkpoint_id:
                _add_branch(point, branch)


def _forks_at(checkpoint: Checkpoint, timelines: Iterable[Timeline]) -> Iterable[Timeline]:
    for each in timelines:
        is_elsewhere = each.thread_id != checkpoint.thread_id
        if is_elsewhere and each.forked_from == checkpoint.checkpoint_id:
            yield each


def _add_branch(node: Tree, branch: ExecutionTree) -> None:
    _grow(node.add(f"branch: {_execution(branch.execution)}"), branch)


def _execution(execution: Execution) -> str:
    status = execution.status.value
    style = STYLES.get(execution.status, "none")
    name = escape(execution.workflow)
    return f"execution {execution.id}  {name}  [{style}]{status}[/{style}]"


def _checkpoint(checkpoint: Checkpoint) -> str:
    following = ", ".join(checkpoint.next_nodes)
    goes_on = f"  next: {escape(following)}" if following else ""
    return f"{checkpoint.step:>3}  {checkpoint.checkpoint_id}  {checkpoint.source}{goes_on}"
