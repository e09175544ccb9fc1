"""Where the nodes of the tally project note that they ran, outside of what the platform keeps."""

from pathlib import Path

from arranging import eventually


class Tally:
    """A file in which the graph's nodes note that they ran, and the gate that holds the second."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "tally"
        self._gate = folder / "gate"
        self._file.touch()

    def input_for(self, name: str) -> dict[str, str]:
        return {"name": name, "tally": str(self._file), "gate": str(self._gate)}

    def lines(self, name: str | None = None) -> list[str]:
        noted = self._file.read_text().splitlines()
        return noted if name is None else [n.split()[1] for n in noted if n.split()[0] == name]

    def open_gate(self) -> None:
        self._gate.touch()

    async def reached(self, *lines: str) -> None:
        async def noted() -> bool:
            return set(lines) <= set(self.lines())

        await eventually(noted)
