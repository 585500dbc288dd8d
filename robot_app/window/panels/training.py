"""Train a policy beside the scene, in a process that outlives the window; live curves; watch the newest checkpoint act."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
)

from dynamite.config_io import parse_overrides, with_overrides
from dynamite.variants import configure, find_variant, list_variants
from robot_app.messages import Loaded
from robot_app.recipe import SceneRecipe
from robot_app.training_runs import TrainingRun, Wish, free_folder, list_runs
from robot_app.window.panel import BasePanel, quiet
from robot_app.window.plots import StepPlot, legend
from robot_app.window.workbench import Workbench
from scenes.errors import InputError
from scenes.registry import SCENES

#: How often the run's files are looked at, ms; how many runs the picker offers.
LOOK_MS, OFFERED = 1000, 30
#: Caption → curves (name in progress.jsonl, ink, dashed, words).
CURVES: dict[str, tuple[tuple[str, str, bool, str], ...]] = {
    "Return": (("return_mean", "agent", False, "mean"), ("low", "agent", True, "± σ"), ("high", "agent", True, "")),
    "Belief model": (("belief/reconstruction_reward", "agent", False, "reward"), ("belief/kl", "truth", False, "KL"),
                     ("probe/nll", "oracle", True, "probe")),
    "Sessions": (("belief/consistency", "agent", False, "consistency"),
                 ("belief/termination", "predicted", False, "termination")),
    "Policy": (("losses/policy", "agent", False, "policy"), ("losses/value", "truth", False, "value"),
               ("losses/entropy", "oracle", True, "entropy"), ("imitation/loss", "predicted", False, "imitation")),
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
        self._watched: Path | None = None
        self._state = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 10, 6)
        row.setSpacing(14)
        row.addLayout(self._make_form())
        self.plots: dict[str, StepPlot] = {}
        self._captions: dict[str, QLabel] = {}
        for name in CURVES:
            row.addLayout(self._make_plot(name), 1)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self.on_theme(workbench.theme)
        self._offer_runs()

    # ------------------------------------------------------------------------------------------------ making
    def _make_form(self) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(5)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        self.runs, self.scene, self.variant = QComboBox(), QComboBox(), QComboBox()
        for name in SCENES:
            self.scene.addItem(name.replace("_", " "), name)
        for name in list_variants():
            self.variant.addItem(name, name)
            self.variant.setItemData(
                self.variant.count() - 1, find_variant(name).summary, 3
            )  # Qt.ToolTipRole
        self.variant.setCurrentIndex(max(0, self.variant.findData("dynamite")))
        self.frames, self.seed = QSpinBox(), QSpinBox()
        self.frames.setRange(0, 1_000_000)
        self.frames.setSuffix(" k steps")
        self.frames.setSpecialValueText("preset's steps")
        self.frames.setToolTip(
            "Environment steps in total, in thousands; 0 for what the scene's preset says."
        )
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setPrefix("seed ")
        self.settings = QLineEdit()
        self.settings.setPlaceholderText("settings, such as ppo.lr=3e-4")
        self.settings.setToolTip(
            "section.field=value, several separated by spaces; robot-app train --set takes the same."
        )
        for control, name in (
            (self.runs, "Run"), (self.scene, "Scene to train in"), (self.variant, "Learning variant"),
            (self.frames, "Steps in total"), (self.seed, "Seed"), (self.settings, "Settings"),
        ):  # fmt: skip
            control.setAccessibleName(name)
            control.setMinimumWidth(60)
            control.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        grid.addWidget(self.runs, 0, 0, 1, 2)
        grid.addWidget(self.scene, 1, 0)
        grid.addWidget(self.variant, 1, 1)
        grid.addWidget(self.frames, 2, 0)
        grid.addWidget(self.seed, 2, 1)
        grid.addWidget(self.settings, 3, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, 116)
        grid.setColumnMinimumWidth(1, 116)
        box.addLayout(grid)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        self.start_button, self.stop_button, self.watch_button = (
            QPushButton("Start"),
            QPushButton("Stop"),
            QPushButton("Watch"),
        )
        self.start_button.setObjectName("primary")
        self.watch_button.setCheckable(True)
        self.start_button.setToolTip(
            "Train in a process of its own; it goes on when the window closes (Ctrl+B)."
        )
        self.stop_button.setToolTip("Finish the iteration, write a checkpoint, stop (Ctrl+Shift+B).")
        self.watch_button.setToolTip("Let the newest checkpoint act in the scene, and each newer one (W).")
        self.start_button.clicked.connect(self.start)
        self.stop_button.clicked.connect(self.stop)
        self.watch_button.clicked.connect(lambda on: self.workbench.watch_wanted.emit(on))
        for button in (self.start_button, self.stop_button, self.watch_button):
            buttons.addWidget(button)
        box.addLayout(buttons)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        box.addWidget(self.bar)
        self.words = quiet("No run. Choose a variant and press Start.", wrap=True)
        self.words.setMinimumHeight(32)
        box.addWidget(self.words)
        box.addStretch(1)
        self.runs.activated.connect(self._run_chosen)
        return box

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
        for name, plot in self.plots.items():
            plot.set_theme(theme)
            keys = [("╌" if dashed else "━", ink, words) for _, ink, dashed, words in CURVES[name] if words]
            self._captions[name].setText(
                f'<span style="color:{theme.text}"><b>{name}</b></span><br>{legend(theme, keys)}'
            )

    def on_loaded(self, loaded: Loaded) -> None:
        if self.run is None and loaded.changed_scene:
            self.scene.setCurrentIndex(self.scene.findData(loaded.recipe.name))

    # ------------------------------------------------------------------------------------------------ runs
    def _offer_runs(self) -> None:
        """Fill the picker with what is on disk; follow the newest that still runs."""
        here = None if self.run is None else self.run.folder
        self.runs.clear()
        self.runs.addItem("new run", None)
        for folder in list_runs(self.root)[:OFFERED]:
            self.runs.addItem(folder.name, str(folder))
        if here is not None:
            self.runs.setCurrentIndex(max(0, self.runs.findData(str(here))))
            return
        for i in range(1, self.runs.count()):
            if TrainingRun(Path(self.runs.itemData(i))).running:
                self.runs.setCurrentIndex(i)
                self._run_chosen(i)
                return

    def _run_chosen(self, index: int) -> None:
        folder = self.runs.itemData(index)
        self.follow(None if folder is None else TrainingRun(Path(folder)))

    def follow(self, run: TrainingRun | None) -> None:
        """Show this run's curves."""
        self.run, self._state = run, ""
        if run is None:
            self._timer.stop()
            for name in CURVES:
                for key, *_ in CURVES[name]:
                    self.plots[name].set_data(key, np.zeros(0), np.zeros(0))
            self._show_state()
            return
        if self.runs.findData(str(run.folder)) < 0:
            self.runs.insertItem(1, run.folder.name, str(run.folder))
        self.runs.setCurrentIndex(self.runs.findData(str(run.folder)))
        about = run.about
        for combo, key in ((self.scene, "scene"), (self.variant, "variant")):
            at = combo.findData(about.get(key))
            if at >= 0:
                combo.setCurrentIndex(at)
        self._timer.start()
        self.look()

    def start(self) -> None:
        """Start a new run, or resume the chosen one."""
        bench, run = self.workbench, self.run
        resume = run is not None and not run.running and run.checkpoint() is not None
        try:
            wish = self.wish()
            folder = free_folder(self.root, wish.scene, wish.variant, wish.seed)
            if resume and run is not None:
                folder = run.folder
            started = TrainingRun.start(folder, wish, resume)
        except InputError as error:
            bench.tell("error", f"The training did not start: {error}")
            return
        bench.log(f"{'Resumed' if resume else 'Started'} training in {started.folder}")
        self.follow(started)
        self._offer_runs()

    def wish(self) -> Wish:
        """What the form says, proved by building the configuration.

        Raises:
            InputError: a setting that does not exist, or out of bounds.
        """
        overrides = parse_overrides(shlex.split(self.settings.text()))
        scene, variant = self.scene.currentData(), self.variant.currentData()
        with_overrides(configure(scene, variant), overrides)
        frames = self.frames.value() * 1000 or None
        return Wish(scene, variant, self.seed.value(), frames, tuple(overrides.items()))

    def stop(self) -> None:
        if self.run is None or not self.run.running:
            self.workbench.tell("info", "No training runs here.")
            return
        self.run.stop()
        self.words.setText("Finishing the iteration, then saving…")
        self.workbench.log(f"Asked the training in {self.run.folder.name} to stop.")

    # ------------------------------------------------------------------------------------------------ following
    def look(self) -> None:
        """Read what is new; redraw; let a newer checkpoint act if it is watched."""
        run = self.run
        if run is None:
            return
        before, n = self._state, len(run.lines)
        self._state = run.state
        if self._state == "failed" and before in ("starting", "running"):
            self.workbench.tell(
                "error", f"The training failed: {run.complaint()}. See {run.folder / 'train.log'}."
            )
        elif before == "running" and self._state in ("finished", "stopped"):
            self.workbench.log(f"Training {run.folder.name} {self._state}.")
        self._show_state()
        if self.isVisible() and (len(run.lines) != n or before == ""):
            self._draw()
        if self.watching:
            self._watch_newest()

    def _show_state(self) -> None:
        run, state = self.run, self._state
        alive = state in ("starting", "running")
        resumable = run is not None and state == "stopped"
        self.start_button.setText("Resume" if resumable else "Start")
        self.start_button.setEnabled(not alive and state != "finished")
        self.stop_button.setEnabled(alive)
        self.watch_button.setEnabled(run is not None)
        for control in (self.scene, self.variant, self.seed):
            control.setEnabled(run is None)
        if run is None:
            self.words.setText("No run. Choose a variant and press Start.")
            self.bar.setValue(0)
        elif not run.lines:
            self.words.setText(
                "Starting…" if alive else f"It ended before its first iteration: {run.complaint()}"
            )
            self.bar.setValue(0)
        else:
            last = run.lines[-1]
            self.bar.setValue(round(1000 * min(1.0, last["frames"] / max(1, last["total_frames"]))))
            left = f", {_clock(last['seconds_left'])} left" if alive else ""
            phase = last["phase"] if alive else state
            # One line for where it is, one for how well.
            self.words.setText(
                f"{phase} · {last['frames'] / 1e3:,.0f} k of {last['total_frames'] / 1e3:,.0f} k{left}\n"
                f"return {last['return_mean']:.1f} ± {last['return_std']:.1f} · {last['fps']:,.0f} steps/s"
            )

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

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self._draw()

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

        scene = run.about.get("scene", self.scene.currentData())
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


def _clock(seconds: float) -> str:
    """``1:02:03``, without the days a slow start may promise."""
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
