"""``robot-app doctor``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from robot_app.commands.base import Flag, Verb, print_json


@dataclass(frozen=True, kw_only=True)
class Doctor(Verb):
    """Say what is installed, what is missing, and the command that mends it.

    Exit code 1 where something is missing.
    """

    examples: ClassVar[tuple[str, ...]] = ("robot-app doctor", "robot-app doctor --json")

    json: Flag = False
    """One JSON object: ok, and the findings."""

    def run(self) -> int:
        from robot_app.doctor import examine

        findings = examine()
        ok = all(finding.state != "missing" for finding in findings)
        if self.json:
            print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
            return 0 if ok else 1
        from rich.console import Console
        from rich.table import Table

        marks = {"ok": "[green]✓ ok[/]", "note": "[yellow]! note[/]", "missing": "[red]✗ missing[/]"}
        table = Table("", "what", "found", header_style="bold")
        for finding in findings:
            table.add_row(marks[finding.state], finding.name, finding.found)
        console = Console()
        console.print(table)
        for finding in findings:
            if finding.mend:  # below the table, whole on a line, ready to be copied
                console.print(
                    f"{finding.name}: {finding.mend}", markup=False, highlight=False, soft_wrap=True
                )
        return 0 if ok else 1


COMMAND = Doctor
