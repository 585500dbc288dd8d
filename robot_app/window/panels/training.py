"""Train policies beside the scene, in processes that outlive the window; live curves; watch the newest checkpoint act."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dynamite.config_io import load_yaml, to_dict
from robot_app.figures.panel import Chart, Origin, Picture, SkinChart
from robot_app.messages import Loaded
from robot_app.recipe import SceneRecipe
from robot_app.tensorboard import TensorBoard
from robot_app.training_runs import ALIVE, TrainingRun, free_folder
from robot_app.troubles import unreadable
from robot_app.version import code_version
from robot_app.window.panel import BasePanel, quiet
from robot_app.window.plots import StepPlot, legend
from robot_app.window.run_table import RunTable
from robot_app.window.training_form import TrainingForm
from robot_app.window.workbench import Workbench
from scenes.errors import InputError

#: How often the runs' files are looked at, ms.
LOOK_MS = 1000
#: Caption → curves (name in progress.jsonl, ink, dashed, words).
CURVES: dict[str, tuple[tuple[str, str, bool, str], ...]] = {
    "Return": (("return_mean", "agent", False, "mean"), ("low", "quiet", True, "± σ"), ("high", "quiet", True, "")),
    "Belief model": (("belief/reconstruction_reward", "agent", False, "reward"),
                     ("belief/reconstruction_state", "predicted", True, "state"), ("belief/kl", "truth", False, "KL"),
                     ("probe/nll", "oracle", True, "probe")),
    "Sessions": (("belief/consistency", "agent", False, "consistency"),
                 ("belief/termination", "predicted", False, "termination")),
    "Policy": (("losses/policy", "agent", False, "policy"), ("losses/value", "truth", False, "value"),
               ("losses/entropy", "oracle", True, "entropy"), ("imitation/loss", "predicted", False, "imit.")),
}  # fmt: skip


class Panel(BasePanel):
    title = "Training"
    area = "bottom"
    order = 20

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.root = workbench.settings.folder("runs", Path.cwd() / "runs")
        self.run: TrainingRun | None = None
        self.watching = False
        self.board = TensorBoard()
        self._watched: Path | None = None
        self._state = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 10, 6)
        row.setSpacing(12)
        self.table = RunTable(workbench.theme)
        self.table.setFixedWidth(260)
        self.table.chosen.connect(lambda folder: self.follow(None if folder is None else TrainingRun(folder)))
        row.addWidget(self.table)
        row.addLayout(self._make_middle())
        self.plots: dict[str, StepPlot] = {}
        self._captions: dict[str, QLabel] = {}
        for name in CURVES:
            row.addLayout(self._make_plot(name), 1)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self._board_timer = QTimer(self, interval=200)
        self._board_timer.timeout.connect(self._board_starting)
        self.on_theme(workbench.theme)
        self._find_again()

    # ------------------------------------------------------------------------------------------------ making
    def _make_middle(self) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(6)
        self.form = TrainingForm()
        self.form.refused.connect(
            lambda path, why: self.workbench.tell_trouble(unreadable("configuration", path, why))
        )
        self.stack = QStackedWidget()
        self.stack.addWidget(self.form)
        self.stack.addWidget(self._make_about())
        self.stack.setFixedWidth(238)
        box.addWidget(self.stack, 1)
        buttons = QGridLayout()
        buttons.setSpacing(6)
        self.start_button = self._button(
            "Start", "Train in a process of its own, which outlives the window (Ctrl+B)."
        )
        self.pause_button = self._button(
            "Pause", "Finish the iteration, keep a checkpoint, go on later (Ctrl+Alt+B)."
        )
        self.stop_button = self._button(
            "Stop", "Finish the iteration, keep a checkpoint, end (Ctrl+Shift+B)."
        )
        self.watch_button = self._button(
            "Watch", "Let the newest checkpoint act in the scene, and each newer one (W)."
        )
        self.board_button = self._button(
            "TensorBoard", "Every curve of every run, in the browser (Ctrl+Shift+T)."
        )
        self.start_button.setObjectName("primary")
        self.watch_button.setCheckable(True)
        self.start_button.clicked.connect(self.start)
        self.pause_button.clicked.connect(self.pause)
        self.stop_button.clicked.connect(self.stop)
        self.watch_button.clicked.connect(lambda on: self.workbench.watch_wanted.emit(on))
        self.board_button.clicked.connect(self.open_board)
        for column, button in enumerate((self.start_button, self.pause_button, self.stop_button)):
            buttons.addWidget(button, 0, 2 * column, 1, 2)
        buttons.addWidget(self.watch_button, 1, 0, 1, 3)
        buttons.addWidget(self.board_button, 1, 3, 1, 3)
        box.addLayout(buttons)
        return box

    @staticmethod
    def _button(title: str, tip: str) -> QPushButton:
        button = QPushButton(title)
        button.setToolTip(tip)
        button.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        return button

    def _make_about(self) -> QWidget:
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        self.what = quiet("", wrap=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.words = quiet("", wrap=True)
        for widget in (self.what, self.bar, self.words):
            box.addWidget(widget)
        box.addStretch(1)
        return page

    def _make_plot(self, name: str) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(2)
        self._captions[name] = quiet("")
        plot = StepPlot(self.workbench.theme, name, sessions=False)
        for key, ink, dashed, _ in CURVES[name]:
            plot.curve(key, ink, dashed=dashed)
        self.plots[name] = plot
        self._captions[name].setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        box.addWidget(self._captions[name])
        box.addWidget(plot, 1)
        return box

    def on_theme(self, theme) -> None:
        self.table.set_theme(theme)
        for name, plot in self.plots.items():
            plot.set_theme(theme)
            self._caption(name)

    def _caption(self, name: str) -> None:
        """The plot's title, and the names of the curves that there are; of all, before there is one."""
        theme, plot = self.workbench.theme, self.plots[name]
        drawn = {curve.name for curve in plot.chart().curves}
        keys = [
            ("╌" if dashed else "━", ink, words)
            for key, ink, dashed, words in CURVES[name]
            if words and (key in drawn or not drawn)
        ]
        self._captions[name].setText(
            f'<span style="color:{theme.text}"><b>{name}</b></span><br>'
            f'<span style="font-size:10px">{legend(theme, keys)}</span>'
        )

    def on_loaded(self, loaded: Loaded) -> None:
        if self.run is None and loaded.changed_scene:
            self.form.choose(loaded.recipe.name)

    # ------------------------------------------------------------------------------------------------ runs
    def _find_again(self) -> None:
        """At the start: what trains, else what was left paused."""
        found = self.table.look(self.root)
        waiting = [run for run in found if run.alive] or [run for run in found if run.state == "paused"]
        if waiting:
            self.follow(TrainingRun(waiting[0].folder))
            run = waiting[0]
            self.workbench.log(
                f"Training {run.folder.name} is {run.state} at {100 * run.share:.0f} % of its steps."
            )
        else:
            self.follow(None)

    def follow(self, run: TrainingRun | None) -> None:
        """Show this run's curves; None: the form for a new one."""
        self.run, self._state = run, ""
        self.stack.setCurrentIndex(0 if run is None else 1)
        for name, plot in self.plots.items():
            plot.clear_data()
            self._caption(name)
        folder = None if run is None else run.folder
        self.table.look(self.root, folder)
        self.table.choose(folder)
        if run is None:
            self._show_state()
            return
        about = run.about
        known = [str(about[key]).replace("_", " ") for key in ("scene", "variant") if key in about]
        self.what.setText(
            " · ".join([*known, f"seed {about['seed']}"]) if "seed" in about else run.folder.name
        )
        self.what.setToolTip(str(run.folder))
        self.look()

    def start(self) -> None:
        """Start a new run, or go on with the chosen one."""
        bench, run = self.workbench, self.run
        try:
            if run is not None:
                run.resume()
            else:
                wish = self.form.wish()
                run = TrainingRun.start(free_folder(self.root, wish.scene, wish.variant, wish.seed), wish)
        except InputError as error:
            bench.tell("error", f"The training did not start: {error}")
            return
        bench.log(f"{'Resumed' if self.run is not None else 'Started'} training in {run.folder}")
        self.follow(run)

    def pause(self) -> None:
        """End the chosen run after its iteration, to go on later."""
        self._ask("pause")

    def stop(self) -> None:
        """End the chosen run after its iteration."""
        self._ask("stop")

    def _ask(self, what: str) -> None:
        if self.run is None or not self.run.running:
            self.workbench.tell("info", "Choose a running training in the Training panel first.")
            return
        self.run.pause() if what == "pause" else self.run.stop()
        self.workbench.log(f"Asked the training in {self.run.folder.name} to {what}.")
        self.look()

    # ------------------------------------------------------------------------------------------------ following
    def look(self) -> None:
        """Read what is new; redraw; let a newer checkpoint act if it is watched."""
        run = self.run
        if self.isVisible():
            self.table.look(self.root, None if run is None else run.folder)
        if run is None:
            return
        before, n = self._state, len(run.lines)
        self._state = run.state
        if self._state == "failed" and before in ALIVE:
            self.workbench.tell(
                "error", f"The training failed: {run.complaint()}. See {run.folder / 'train.log'}."
            )
        elif before in ALIVE and self._state in ("finished", "paused", "stopped"):
            self.workbench.log(f"Training {run.folder.name} {self._state}.")
        self._show_state()
        if self.isVisible() and (len(run.lines) != n or before == ""):
            self._draw()
        if self.watching:
            self._watch_newest()

    def _show_state(self) -> None:
        run, state = self.run, self._state
        alive, asked = state in ALIVE, state in ("pausing", "stopping")
        self.start_button.setText("Start" if run is None else "Resume")
        self.start_button.setEnabled(run is None or state in ("paused", "stopped"))
        for button in (self.pause_button, self.stop_button):
            button.setEnabled(alive and not asked)
        self.watch_button.setEnabled(run is not None)
        if run is None:
            return
        if not run.lines:
            self.bar.setValue(0)
            if alive:
                words = "Starting…" if not asked else "Ending before its first iteration…"
            elif state == "failed":
                words = f"It ended before its first iteration: {run.complaint()}"
            else:
                words = f"{state.capitalize()} before its first iteration."
            self.words.setText(words)
            return
        last = run.lines[-1]
        self.bar.setValue(round(1000 * min(1.0, last["frames"] / max(1, last["total_frames"]))))
        left = f"\n{_clock(last['seconds_left'])} left · {last['fps']:,.0f} steps/s" if alive else ""
        if asked:
            left = "\nFinishing the iteration, then saving…"
        phase = f"{state} ({last['phase']})" if state == "running" else state
        # A line each for where it is, how well, and how long.
        self.words.setText(
            f"{phase} · {last['frames'] / 1e3:,.0f} k of {last['total_frames'] / 1e3:,.0f} k\n"
            f"return {_number(last['return_mean'])} ± {_number(last['return_std'])}{left}"
        )

    def figure_parts(self) -> list[Chart | SkinChart | Picture]:
        self._draw()
        return super().figure_parts()

    def figure_origin(self) -> Origin:
        """Of the chosen run: its own configuration and seed."""
        run = self.run
        if run is None:
            return super().figure_origin()
        config: dict[str, Any] = {"panel": self.title, "run": run.folder.name}
        with contextlib.suppress(InputError):
            trained = to_dict(load_yaml(run.folder / "config.yaml"))
            config |= {"scene": trained["scene"], "policy": trained["variant"], "training": trained}
        seed = config.get("training", {}).get("train", {}).get("seed", run.about.get("seed"))
        return Origin(seed, code_version()["commit"], config)

    def _draw(self) -> None:
        run = self.run
        if run is None or not run.lines:
            return
        x = np.array(run.column("frames"))
        mean, std = np.array(run.column("return_mean")), np.array(run.column("return_std"))
        for name, curves in CURVES.items():
            for key, *_ in curves:
                y = {"low": mean - std, "high": mean + std}.get(key)
                self.plots[name].set_data(key, x, np.array(run.column(key)) if y is None else y)
            self.plots[name].set_steps(max(1.0, float(x[-1])))
            self._caption(name)

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.look()
        self._draw()

    # ------------------------------------------------------------------------------------------------ TensorBoard
    def open_board(self) -> None:
        """Show the chosen run's curves, or all runs', in TensorBoard."""
        folder = self.root if self.run is None else self.run.folder
        if not any(folder.glob("**/events.out.tfevents.*")):
            self.workbench.tell("info", f"There are no curves in {folder} yet: start a training first.")
            return
        try:
            self.board.serve(folder)
        except InputError as error:
            self.workbench.tell("error", str(error))
            return
        self.workbench.tell("info", "TensorBoard is starting; it opens in the browser.")
        self._board_timer.start()

    def _board_starting(self) -> None:
        if self.board.ready():
            self._board_timer.stop()
            if not QDesktopServices.openUrl(QUrl(self.board.url)):
                self.workbench.tell("info", f"TensorBoard runs at {self.board.url}")
        elif not self.board.alive:
            self._board_timer.stop()
            self.workbench.tell("error", "TensorBoard did not start: robot-app doctor says what is missing.")

    # ------------------------------------------------------------------------------------------------ watching
    def set_watching(self, on: bool) -> bool:
        """Let the newest checkpoint act from now on; False where there is nothing to watch."""
        if on and self.run is None:
            self.workbench.tell("info", "Choose or start a run in the Training panel first.")
            on = False
        self.watching, self._watched = on, None
        self.watch_button.setChecked(on)
        if on:
            self._watch_newest()
            if self._watched is None:
                self.workbench.tell(
                    "info", "No checkpoint yet: the first one will act as soon as it is written."
                )
        return on

    def _watch_newest(self) -> None:
        run, bench = self.run, self.workbench
        newest = None if run is None else run.checkpoint()
        if run is None or newest is None or newest == self._watched:
            return
        first, self._watched = self._watched is None, newest
        from robot_app.recording import trained_recipe

        scene = run.about.get("scene", self.form.scene.currentData())
        try:
            recipe = trained_recipe(SceneRecipe(scene), str(newest))
        except InputError as error:
            bench.tell("error", f"The checkpoint cannot be watched: {error}")
            return
        here = bench.scene
        if here is not None and (here.recipe.name, here.recipe.options) == (recipe.name, recipe.options):
            bench.runtime.set_policy(str(newest), at_next_episode=not first)
        else:
            bench.load(recipe, str(newest), bench.seed, bench.status.state == "playing")
        bench.log(f"Watching the checkpoint of {int(newest.name):,} steps.")

    def on_close(self) -> None:
        self._timer.stop()
        self._board_timer.stop()
        self.board.close()


def _number(value: float | None) -> str:
    """One decimal; a dash for what is not finite."""
    return "–" if value is None else f"{value:.1f}"


def _clock(seconds: float) -> str:
    """``1:02:03``, without the days a slow start may promise."""
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
