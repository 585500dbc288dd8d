"""Redraws everything that a results folder's sweep asks for, and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from robot_app.figures import plots, tables
from robot_app.figures.results import Results
from robot_app.figures.style import save, styled
from robot_app.files import write_atomic


def redraw(folder: Path, out: Path, say: Callable[[str], None]) -> list[Path]:
    """Write ``out``/README.md and everything it shows into ``out``/figures.

    Args:
        folder: a results folder.
        say: told what is left out, and why.

    Returns:
        The files.

    Raises:
        InputError: the folder holds no results, or its sweep asks for something that they do not hold.
    """
    results = Results(folder)
    paths: list[Path] = []
    page = [f"# {results.name}", "", results.description, ""]
    for figure in results.figures:
        lines = results.select(figure)
        if not lines:
            say(f"{results.name}: no runs yet for {figure.name}")
            continue
        stem = out / "figures" / figure.name
        stem.parent.mkdir(parents=True, exist_ok=True)
        if figure.kind == "table":
            table = tables.build(results, figure, lines)
            # For programs, and hidden; the page itself has the sweep's file beside it.
            hidden = table.provenance.to_json().replace("--", r"-\u002d")  # a comment may not hold two dashes
            marked = f"{table.markdown()}\n<!-- {hidden} -->\n"
            for suffix, text in ((".md", marked), (".tex", table.latex())):
                paths.append(stem.with_name(figure.name + suffix))
                write_atomic(paths[-1], text.encode())
            page += [table.markdown()]
            continue
        provenance = results.provenance(lines)
        title = figure.title or f"{results.description} ({figure.name.replace('_', ' ')})"
        with styled():
            paths += save(plots.draw(results, figure, lines), stem, title, provenance)
        page += [f"![{title}](figures/{figure.name}.png)", "", f"{provenance.line()}.", ""]
    for line in results.failures():
        page += [f"- failed: {line['block']} {line['id']}: {line['error']}"]
    page += ["", "Made by `robot-app sweep` with [sweep.yaml](sweep.yaml), drawn by `robot-app figures`."]
    paths.append(out / "README.md")
    write_atomic(paths[-1], ("\n".join(page).rstrip() + "\n").encode())
    return paths
