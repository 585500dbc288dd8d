"""How well the policy adapts: reward and return beside the oracle's, sessions as bands, steps to adapt per change."""

from __future__ import annotations

import numpy as np
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QTableWidgetItem,
    QVBoxLayout,
)

from dynamite.acting import Frame
from robot_app.figures.panel import Chart, Picture, SkinChart
from robot_app.history import RATE_WINDOW, after_words, running_mean
from robot_app.messages import Loaded
from robot_app.window.changes_table import ADAPTED, changes_table
from robot_app.window.panel import BasePanel, quiet
from robot_app.window.plots import StepPlot, legend
from robot_app.window.workbench import Workbench

#: Numbers at the side: (key of info or a name of ours, caption, format).
_FORCE = "tool_force_n"


class Panel(BasePanel):
    title = "Adaptation"
    area = "bottom"
    order = 10

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 10, 6)
        row.setSpacing(10)
        row.addLayout(self._make_numbers())
        theme = workbench.theme
        self.reward = StepPlot(theme, "reward, running mean")
        self.reward.curve("oracle", "oracle", dashed=True)
        self.reward.curve("policy", "agent")
        self.returns = StepPlot(theme, "return")
        self.returns.curve("oracle", "oracle", dashed=True)
        self.returns.curve("policy", "agent")
        self._captions = []
        for plot, words in (
            (self.reward, f"Reward, mean of {RATE_WINDOW} steps"),
            (self.returns, "Return so far"),
        ):
            box = QVBoxLayout()
            box.setSpacing(2)
            caption = quiet(words)
            self._captions.append((caption, words))
            box.addWidget(caption)
            box.addWidget(plot, 1)
            row.addLayout(box, 5)
        row.addLayout(self._make_table(), 4)
        self.on_theme(theme)
        workbench.truth_changed.connect(lambda _: self._show_or_hide())

    def _show_or_hide(self) -> None:
        self.on_theme(self.workbench.theme)
        if self.workbench.shown is not None and self.isVisible():
            self.on_frame(self.workbench.shown)
            self.on_plots()

    def _make_numbers(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(0)
        self.numbers = {}
        for i, (name, caption) in enumerate(
            (("return", "return"), ("oracle", "oracle's"), ("share", "of the oracle's"), ("scratches", "scratches"),
             ("force", "tool force"), ("session", "session"))
        ):  # fmt: skip
            value = quiet("–")
            value.setObjectName("value")
            value.setMinimumWidth(62)
            value.setAccessibleName(caption)
            grid.addWidget(value, 2 * (i // 2), i % 2)
            grid.addWidget(quiet(caption), 2 * (i // 2) + 1, i % 2)
            grid.setRowMinimumHeight(2 * (i // 2) + 1, 22)
            self.numbers[name] = value
        grid.setRowStretch(7, 1)
        return grid

    def _make_table(self) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(2)
        self.caption = quiet("Changes of the preference")
        box.addWidget(self.caption)
        name = "Changes of the preference and how long adapting took"
        noticed = "Steps until the predicted session end rose past 50 %."
        self.table = changes_table(name, ("noticed", "adapted"), (noticed, ADAPTED), 330)
        box.addWidget(self.table, 1)
        return box

    # ------------------------------------------------------------------------------------------------ showing
    def on_loaded(self, loaded: Loaded) -> None:
        known = f"{loaded.reference} on the same seed, schedule and edits."
        for name in ("oracle", "share"):
            self.numbers[name].setToolTip(known if loaded.reference else "No oracle is known for this scene.")

    def on_frame(self, frame: Frame) -> None:
        history, numbers = self.workbench.history, self.numbers
        returns, oracle = history.returns()[: frame.t], history.oracle_returns()[: frame.t]
        total = float(returns[-1]) if len(returns) else 0.0
        numbers["return"].setText(f"{total:.1f}")
        behind = len(oracle) < len(returns)
        numbers["oracle"].setText(f"{oracle[-1]:.1f}" if len(oracle) and not behind else "–")
        earns = len(oracle) and not behind and oracle[-1] > 1.0
        numbers["share"].setText(
            "–" if not earns else f"{100 * total / oracle[-1]:.0f} %" if total > 0 else "< 0 %"
        )
        scratches = frame.info.get("scratches")
        numbers["scratches"].setText("–" if scratches is None else str(int(scratches)))
        force = frame.info.get(_FORCE)
        numbers["force"].setText("–" if force is None else f"{force:.1f} N")
        numbers["session"].setText(str(frame.session + 1) if self.workbench.view.truth else "–")

    def on_plots(self) -> None:
        history, scene = self.workbench.history, self.workbench.scene
        if history.last is None or self.workbench.shown is None:
            return
        self.on_frame(self.workbench.shown)  # the oracle's return may have come since
        n = len(history)
        steps = np.arange(1, n)
        self.reward.set_data("policy", steps, running_mean(history.rewards(), RATE_WINDOW))
        self.returns.set_data("policy", np.arange(n), np.concatenate(([0.0], history.returns())))
        oracle = history.oracle_returns()
        self.returns.set_data("oracle", np.arange(len(oracle) + 1), np.concatenate(([0.0], oracle)))
        known = history.oracle_rewards[: n - 1]
        self.reward.set_data("oracle", np.arange(1, len(known) + 1), running_mean(known, RATE_WINDOW))
        last = max(history.last.t, 1 if scene is None else scene.episode_length)
        spans = history.session_spans() if self.workbench.view.truth else []
        predicted = history.predicted_changes()
        for plot in (self.reward, self.returns):
            plot.set_steps(last)
            plot.set_cursor(self.workbench.cursor)
            if plot.marks is not None:
                plot.marks.set_marks(spans, predicted)
        self._show_changes(predicted)

    def _show_changes(self, predicted: list[int]) -> None:
        history, scene = self.workbench.history, self.workbench.scene
        if not self.workbench.view.truth:
            self.table.setRowCount(0)
            self.caption.setText("Changes are hidden with the true preference")
            return
        changes = history.changes()
        ends = [*(change.t for change in changes), history.frames[-1].t + 1][1:]
        believes = history.frames[-1].decision.belief is not None
        rows = []
        for change, end in zip(changes, ends, strict=True):
            noticed = next((t - change.t for t in predicted if change.t <= t < end), None)
            latent = history.frames[change.t].latent
            where = "" if scene is None else scene.space.to_text(latent)
            over = end <= history.frames[-1].t
            noticing = after_words(noticed, over) if believes else "–"
            adapting = after_words(change.adapted_after, over) if len(history.oracle_rewards) else "–"
            rows.append((str(change.t), where, noticing, adapting))
        self.table.setRowCount(len(rows))
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                item = self.table.item(i, j)
                if item is None:
                    item = QTableWidgetItem()
                    self.table.setItem(i, j, item)
                if item.text() != text:
                    item.setText(text)
                    item.setToolTip(text)
        mean = [change.adapted_after for change in changes if change.adapted_after is not None]
        tail = (
            f" · adapted to {len(mean)} of {len(changes)}, in {np.mean(mean):.0f} steps on average"
            if mean
            else ""
        )
        self.caption.setText(
            f"{len(changes)} {'change' if len(changes) == 1 else 'changes'} of the preference{tail}"
            if changes
            else "No change of the preference yet"
        )

    def figure_parts(self) -> list[Chart | SkinChart | Picture]:
        self.on_plots()  # what is on the screen may be an eighth of a second old
        return super().figure_parts()

    def on_theme(self, theme) -> None:
        for plot in (self.reward, self.returns):
            plot.set_theme(theme)
        keys = legend(theme, [("━", "agent", "policy"), ("╌", "oracle", "oracle")])
        true = [("│", "truth", "true change")] if self.workbench.view.truth else []
        inferred = legend(theme, [*true, ("▲", "predicted", "inferred")])
        for (caption, words), more in zip(self._captions, (keys, inferred), strict=True):
            caption.setText(f'<span style="color:{theme.text}"><b>{words}</b></span>&nbsp;&nbsp; {more}')
