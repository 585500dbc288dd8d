"""Two policies on the same seed, sessions and edits: returns of both, what lies between them, steps to adapt per change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QTableWidgetItem,
    QVBoxLayout,
)

import policies
from dynamite.acting import Frame
from robot_app.compare import changes_of_both, difference
from robot_app.figures.panel import Chart, Origin, Picture, SkinChart
from robot_app.history import after_words
from robot_app.messages import Loaded
from robot_app.opening import Unopenable, find_out
from robot_app.troubles import other_scene, unreadable
from robot_app.window.changes_table import ADAPTED, changes_table
from robot_app.window.comparing import Comparing
from robot_app.window.listener import policy_title
from robot_app.window.panel import BasePanel, quiet
from robot_app.window.plots import StepPlot, legend
from robot_app.window.workbench import Workbench

_BROWSE = "Open a checkpoint…"
_CAPTION = "Return so far"


class Panel(BasePanel):
    title = "Compare"
    area = "bottom"
    order = 20

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.comparing = Comparing(workbench, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 10, 6)
        row.setSpacing(14)
        row.addLayout(self._make_controls(), 3)
        box = QVBoxLayout()
        box.setSpacing(2)
        self._caption = quiet(_CAPTION)
        box.addWidget(self._caption)
        self.returns = StepPlot(workbench.theme, "return")
        self.returns.curve("difference", "quiet", dashed=True)
        self.returns.curve("B", "text")
        self.returns.curve("A", "agent")
        box.addWidget(self.returns, 1)
        row.addLayout(box, 5)
        row.addLayout(self._make_table(), 4)
        self.comparing.changed.connect(self._show_state)
        workbench.beat.connect(self._catch_up)
        workbench.truth_changed.connect(lambda _: self._show_or_hide())
        self._seen: tuple[int, int] | None = None
        self.on_theme(workbench.theme)
        self._show_state()

    @property
    def view(self):
        """B's picture, to be put beside A's."""
        return self.comparing.view

    def _make_controls(self) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(5)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        self.first, self.second = quiet("–"), QComboBox()
        self.first.setAccessibleName("First policy")
        self.second.setAccessibleName("Second policy")
        self.second.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.second.setToolTip("Who acts beside the first, on the same seed, sessions and edits.")
        self.second.activated.connect(self._chosen)
        self._signs = quiet("A"), quiet("B")
        for i, widget in enumerate((self.first, self.second)):
            grid.addWidget(self._signs[i], i, 0)
            grid.addWidget(widget, i, 1)
        box.addLayout(grid)
        self.button = QPushButton("Compare")
        self.button.clicked.connect(lambda: self.workbench.compare_wanted.emit(not self.on))
        line = QHBoxLayout()
        self.state = quiet("", wrap=True)
        line.addWidget(self.state, 1)
        line.addWidget(self.button, 0, Qt.AlignTop)
        box.addLayout(line)
        numbers = QGridLayout()
        numbers.setHorizontalSpacing(14)
        numbers.setVerticalSpacing(0)
        self.numbers = {}
        for i, (name, caption) in enumerate((("a", "return of A"), ("b", "return of B"), ("gap", "A − B"))):
            value = quiet("–")
            value.setObjectName("value")
            value.setAccessibleName(caption)
            numbers.addWidget(value, 0, i)
            numbers.addWidget(quiet(caption), 1, i)
            self.numbers[name] = value
        box.addStretch(1)
        box.addLayout(numbers)
        return box

    def _make_table(self) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(2)
        self.caption = quiet("Steps to adapt")
        box.addWidget(self.caption)
        name = "Changes of the preference and how long adapting took each policy"
        self.table = changes_table(name, ("A", "B"), (ADAPTED, ADAPTED), 300)
        box.addWidget(self.table, 1)
        return box

    # ------------------------------------------------------------------------------------------------ doing
    @property
    def on(self) -> bool:
        """Whether there is a second policy, or one is getting ready."""
        return self.comparing.comparison is not None

    def set_comparing(self, on: bool) -> bool:
        """Begin with the chosen policy, or end; returns whether there are two now."""
        if on and not self.on and self.second.currentData() is not None:
            self.comparing.start(self.second.currentData())
        elif not on:
            self.comparing.stop()
        return self.on

    def _chosen(self, _: int) -> None:
        policy = self.second.currentData()
        if policy is None:
            self._browse()
        elif self.on:
            self.comparing.start(policy)

    def _browse(self) -> None:
        """Any checkpoint of this scene on disk; without one, who was chosen stays so."""
        title = "A checkpoint's or a run's folder"
        folder = QFileDialog.getExistingDirectory(self, title, str(Path.cwd()))
        self._select(self._policy)
        if folder:
            self.choose(Path(folder))

    def choose(self, path: Path) -> None:
        """Let the policy in this folder be the second."""
        bench = self.workbench
        try:
            found = find_out(path)
        except Unopenable as error:
            bench.tell_trouble(unreadable(error.kind, error.path, str(error)))
            return
        here = bench.scene.recipe.name if bench.scene is not None else ""
        if found.kind != "checkpoint":
            bench.tell("warning", f"{found.title} does not act: choose a checkpoint's or a run's folder.")
        elif found.scene != here:
            bench.tell_trouble(other_scene(found.path, found.scene, here))
        else:
            self._select(str(found.path))
            self._chosen(self.second.currentIndex())

    def _select(self, policy: str) -> None:
        if self.second.findData(policy) < 0:
            self.second.insertItem(0, policy_title(policy), policy)
            self.second.setItemData(0, policy, Qt.ToolTipRole)
        self.second.setCurrentIndex(self.second.findData(policy))
        self._policy = policy

    # ------------------------------------------------------------------------------------------------ showing
    def on_loaded(self, loaded: Loaded) -> None:
        self.first.setText(policy_title(loaded.policy))
        self.first.setToolTip(loaded.policy)
        if loaded.changed_scene:
            self._offer(loaded)
        self._show_state()

    def _offer(self, loaded: Loaded) -> None:
        """What can act in this scene; first who stands most apart from A: the oracle, or chance beside the oracle."""
        names = policies.list_policies(loaded.recipe.name)
        comparison = self.comparing.comparison
        self.second.clear()
        for name in names:
            self.second.addItem(name, name)
        self.second.insertSeparator(self.second.count())
        self.second.addItem(_BROWSE, None)
        others = [
            name for name in (loaded.reference, "random", *names) if name in names and name != loaded.policy
        ]
        same = self.comparing.scene == loaded.recipe.name
        self._select(comparison.policy if comparison is not None and same else next(iter(others), names[0]))

    def _show_state(self) -> None:
        comparison, scene = self.comparing.comparison, self.workbench.scene
        if comparison is None:
            said = "Same seed, same sessions, same edits; both take each step together."
        elif not comparison.ready:
            said = "The second policy is getting ready…"
        else:
            said = "In lock-step: the slower of the two sets the pace."
        self.state.setText(said)
        self.button.setText("Stop" if comparison is not None else "Compare")
        self.button.setObjectName("" if comparison is not None else "primary")
        self.button.style().polish(self.button)
        self.button.setEnabled(scene is not None)
        self.button.setToolTip(
            "End the comparison." if comparison is not None else "Let both act, side by side."
        )
        if comparison is None:
            self._clear()
        self.workbench.compared.emit(comparison is not None)

    def _clear(self) -> None:
        for value in self.numbers.values():
            value.setText("–")
        for name in ("A", "B", "difference"):
            self.returns.set_data(name, np.zeros(0), np.zeros(0))
        if self.returns.marks is not None:
            self.returns.marks.set_marks([], [])
        self.table.setRowCount(0)
        self.caption.setText("Steps to adapt, per change of the preference")

    def _catch_up(self) -> None:
        """Nothing moves while the second lives what the first has behind it: show it all the same."""
        comparison, frame = self.comparing.comparison, self.workbench.shown
        if comparison is None or not comparison.ready or frame is None or not self.isVisible():
            self._seen = None
            return
        seen = (comparison.history.episode, len(comparison.history))
        if seen != self._seen:
            self._seen = seen
            self.on_frame(frame)
            self.on_plots()

    def on_frame(self, frame: Frame) -> None:
        comparison = self.comparing.comparison
        if comparison is None or not comparison.ready:
            return
        a, b = self._totals()
        n = min(frame.t, len(a) - 1, len(b) - 1)
        if n >= 0:
            self.numbers["a"].setText(f"{a[n]:.1f}")
            self.numbers["b"].setText(f"{b[n]:.1f}")
            self.numbers["gap"].setText(f"{a[n] - b[n]:+.1f}")

    def _totals(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns of both after 0, 1, … steps."""
        assert self.comparing.comparison is not None
        histories = self.workbench.history, self.comparing.comparison.history
        a, b = (np.concatenate(([0.0], h.returns())) if len(h) else np.zeros(0) for h in histories)
        return a, b

    def on_plots(self) -> None:
        comparison, bench = self.comparing.comparison, self.workbench
        if comparison is None or not comparison.ready or bench.history.last is None:
            return
        a, b = self._totals()
        for name, values in (("A", a), ("B", b), ("difference", difference(a, b))):
            self.returns.set_data(name, np.arange(len(values)), values)
        last = bench.history.last.t if bench.scene is None else bench.scene.episode_length
        self.returns.set_steps(max(last, len(a) - 1))
        self.returns.set_cursor(bench.cursor)
        if self.returns.marks is not None:
            self.returns.marks.set_marks(bench.history.session_spans() if bench.view.truth else [], [])
        self._show_changes()

    def _show_changes(self) -> None:
        comparison, bench = self.comparing.comparison, self.workbench
        assert comparison is not None
        if not bench.view.truth:
            self.table.setRowCount(0)
            self.caption.setText("Changes are hidden with the true preference")
            return
        changes = changes_of_both(bench.history, comparison.history)
        self.table.setRowCount(len(changes))
        for i, change in enumerate(changes):
            where = (
                ""
                if bench.scene is None
                else bench.scene.space.to_text(bench.history.frames[change.t].latent)
            )
            over = i + 1 < len(changes)
            cells = (
                str(change.t),
                where,
                after_words(change.adapted_a, over),
                after_words(change.adapted_b, over),
            )
            for j, text in enumerate(cells):
                item = self.table.item(i, j)
                if item is None:
                    item = QTableWidgetItem()
                    self.table.setItem(i, j, item)
                if item.text() != text:
                    item.setText(text)
                    item.setToolTip(text)
        both = [(c.adapted_a, c.adapted_b) for c in changes]
        counts = [sum(pair[k] is not None for pair in both) for k in (0, 1)]
        tail = f": A adapted to {counts[0]}, B to {counts[1]} of {len(changes)}" if changes else ""
        self.caption.setText(f"Steps to adapt, per change of the preference{tail}")

    def _show_or_hide(self) -> None:
        self.on_theme(self.workbench.theme)
        self.on_plots()

    def figure_parts(self) -> list[Chart | SkinChart | Picture]:
        self.on_plots()
        return super().figure_parts()

    def figure_origin(self) -> Origin:
        """As every panel's, with the second policy."""
        origin, comparison = super().figure_origin(), self.comparing.comparison
        if comparison is not None:
            origin.config["second_policy"] = comparison.policy
        return origin

    def on_theme(self, theme) -> None:
        self.returns.set_theme(theme)
        change = [("│", "truth", "change")] if self.workbench.view.truth else []
        keys = legend(theme, [("━", "agent", "A"), ("━", "text", "B"), ("╌", "quiet", "A − B"), *change])
        self._caption.setText(f'<span style="color:{theme.text}"><b>{_CAPTION}</b></span>&nbsp;&nbsp; {keys}')
        for sign, ink in zip(self._signs, ("agent", "text"), strict=True):
            sign.setStyleSheet(f"color: {getattr(theme, ink)}; font-weight: 600;")
        self.view.update()

    def on_close(self) -> None:
        self.comparing.stop()
