"""What the policy believes, beside what is true: every field's posterior, the embedding, the predicted session end."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dynamite.acting import Frame
from dynamite.belief import Belief, ChoicePosterior, PointPosterior, ScalarPosterior
from robot_app.figures.beliefs import field_charts
from robot_app.figures.panel import Chart, Picture, SkinChart
from robot_app.history import field_entropy, latent_entropy
from robot_app.messages import Loaded
from robot_app.window.gauges import ChoiceGauge, LatentGauge, ScalarGauge
from robot_app.window.panel import BasePanel, column, empty_state, heading, quiet
from robot_app.window.plots import StepPlot, legend
from robot_app.window.scrolling import Yielding
from robot_app.window.skin_map import SkinMap
from robot_app.window.workbench import Workbench
from scenes.latent import ChoiceField, PointField, ScalarField


class Panel(BasePanel):
    title = "Belief"
    area = "right"
    order = 10
    scrolls = True  # a belief about many fields is higher than a small screen

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        layout = column(self)
        self._empty = empty_state("Waiting for a policy.")
        layout.addWidget(self._empty, 1)
        self._body = Yielding()
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(5)
        layout.addWidget(self._body, 1)
        self.views: dict[str, SkinMap | ScalarGauge | ChoiceGauge] = {}
        self._rows: list[QWidget] = []
        self._fields = QVBoxLayout()
        self._fields.setSpacing(5)
        body.addLayout(self._fields, 3)
        self.keys = quiet("", wrap=True)
        body.addWidget(self.keys)

        row = QHBoxLayout()
        row.addWidget(heading("Embedding z"))
        row.addStretch(1)
        self.z_entropy = quiet("")
        row.addWidget(self.z_entropy)
        body.addLayout(row)
        self.z = LatentGauge(workbench.theme)
        body.addWidget(self.z)

        row = QHBoxLayout()
        row.addWidget(heading("Session end, uncertainty"))
        row.addStretch(1)
        self.p_end = quiet("")
        row.addWidget(self.p_end)
        body.addLayout(row)
        self.plot = StepPlot(workbench.theme, "probability")
        self.plot.setYRange(0, 1, padding=0.03)
        self.plot.getPlotItem().getAxis("left").setTicks([[(0, "0"), (0.5, "0.5"), (1, "1")]])
        self.plot.curve("entropy", "agent", dashed=True)
        self.plot.curve("p_end", "predicted")
        self.plot.setMinimumHeight(70)
        body.addWidget(self.plot, 2)
        self.plot_keys = quiet("", wrap=True)
        body.addWidget(self.plot_keys)
        self._body.hide()
        self._zoom = 1.0
        workbench.view_changed.connect(lambda _: self._look_again())
        self.on_theme(workbench.theme)

    def _look_again(self) -> None:
        """The truth was hidden, or shown."""
        self.on_theme(self.workbench.theme)
        if self.workbench.shown is not None and self.isVisible():
            self.on_frame(self.workbench.shown)
            self.on_plots()

    def set_zoom(self, zoom: float) -> None:
        self._zoom = zoom
        super().set_zoom(zoom)
        self._room_for_maps()

    def _room_for_maps(self) -> None:
        for view in self.views.values():
            if isinstance(view, SkinMap):
                view.parentWidget().setMaximumHeight(view.maximumHeight() + round(20 * self._zoom))

    def on_loaded(self, loaded: Loaded) -> None:
        if not loaded.changed_scene:
            return
        for row in self._rows:
            self._fields.removeWidget(row)
            row.setParent(None)
            row.deleteLater()
        self.views, self._rows = {}, []
        theme = self.workbench.theme
        for field in loaded.space.fields:
            if isinstance(field, PointField):
                view: SkinMap | ScalarGauge | ChoiceGauge = SkinMap(field, theme)
                box = QWidget()
                inner = QVBoxLayout(box)
                inner.setContentsMargins(0, 0, 0, 0)
                inner.setSpacing(2)
                inner.addWidget(heading(field.label))
                inner.addWidget(view, 1)
                self._fields.addWidget(box, 1)
                self._rows.append(box)
            else:
                assert isinstance(field, ScalarField | ChoiceField)
                view = (
                    ScalarGauge(field, theme) if isinstance(field, ScalarField) else ChoiceGauge(field, theme)
                )
                self._fields.addWidget(view)
                self._rows.append(view)
            view.set_zoom(self._zoom)
            self.views[field.name] = view
        self._room_for_maps()

    def on_frame(self, frame: Frame) -> None:
        belief = frame.decision.belief
        come, go = (self._empty, self._body) if belief is None else (self._body, self._empty)
        go.hide()  # first: room for both would make the window grow
        come.show()
        if belief is None:
            scene = self.workbench.scene
            who = "This policy" if scene is None else scene.policy
            sees = scene is not None and scene.needs_privileged
            why = "sees the true preference and needs no belief" if sees else "acts without a belief"
            self._empty.setText(
                f"{who} {why}.\n\nChoose a trained policy in the Set-up panel to see what it believes."
            )
            return
        self._show_fields(belief, frame)
        self.z.show_values(belief.mean, belief.logvar)
        entropy = (
            f"entropy {latent_entropy(belief):+.1f} nats" if len(belief.mean) else "none: acts on its memory"
        )
        self.z_entropy.setText(entropy)
        p, share = belief.p_session_end, field_entropy(belief)
        ended = "no prediction" if p is None else f"p(end) {100 * p:.0f} %"
        self.p_end.setText(ended if math.isnan(share) else f"{ended} · uncertainty {100 * share:.0f} %")

    def _show_fields(self, belief: Belief, frame: Frame) -> None:
        truth = frame.latent if self.workbench.view.truth else {}
        for name, view in self.views.items():
            posterior = belief.fields.get(name)
            if isinstance(view, SkinMap):
                view.set_belief(posterior if isinstance(posterior, PointPosterior) else None)
                view.set_truth(truth.get(name))
            elif isinstance(view, ScalarGauge):
                view.show_values(
                    posterior if isinstance(posterior, ScalarPosterior) else None, truth.get(name)
                )
            else:
                view.show_values(
                    posterior if isinstance(posterior, ChoicePosterior) else None, truth.get(name)
                )

    def on_plots(self) -> None:
        history = self.workbench.history
        if history.last is None or history.last.decision.belief is None:
            return
        t = np.arange(len(history))
        self.plot.set_data("p_end", t, history.p_session_end())
        self.plot.set_data("entropy", t, history.entropy())
        self.plot.set_steps(_length(self.workbench))
        self.plot.set_cursor(self.workbench.cursor)
        if self.plot.marks is not None:
            spans = history.session_spans() if self.workbench.view.truth else []
            self.plot.marks.set_marks(spans, history.predicted_changes())

    def figure_parts(self) -> list[Chart | SkinChart | Picture]:
        """Every field's posterior over the episode against the truth, the map of a point, and the session's end."""
        bench = self.workbench
        if bench.scene is None or bench.shown is None or bench.shown.decision.belief is None:
            return super().figure_parts()
        self.on_plots()
        fields = field_charts(bench.history, bench.scene.space, bench.shown, bench.view.truth)
        end = replace(self.plot.chart(), title="Predicted session end, and uncertainty")
        return [*fields, *([end] if end.curves else [])]

    def on_theme(self, theme) -> None:
        for view in self.views.values():
            view.theme = theme
            view.update()
        self.z.set_theme(theme)
        self.plot.set_theme(theme)
        truth = [("◯", "truth", "truth")] if self.workbench.view.truth else []
        changes = [("│", "truth", "true change")] if truth else []
        self.keys.setText(legend(theme, [*truth, ("■", "agent", "belief: bright is likely")]))
        said = [("━", "predicted", "p(session end)"), ("╌", "agent", "uncertainty")]
        self.plot_keys.setText(legend(theme, [*said, *changes]))


def _length(workbench: Workbench) -> int:
    scene, last = workbench.scene, workbench.history.last
    return max(1 if scene is None else scene.episode_length, 0 if last is None else last.t)
