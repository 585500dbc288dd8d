"""Charts of what is believed, and of what is so, over the steps of an episode. No Qt."""

from __future__ import annotations

import numpy as np

from dynamite.acting import Frame
from dynamite.belief import ChoicePosterior, PointPosterior, ScalarPosterior
from robot_app.figures.panel import Chart, Curve, SkinChart
from robot_app.history import History
from scenes.latent import ChoiceField, LatentSpace, PointField, ScalarField

_ROLES = ("agent", "predicted", "oracle", "quiet")


def field_charts(
    history: History, space: LatentSpace, shown: Frame, truth: bool, belief: bool = True
) -> list[Chart | SkinChart]:
    """A chart per preference field: posterior against truth; of a point on the body, the map at step ``shown``.

    Args:
        truth: whether the true preference may be seen. belief: whether the posterior is to be.
    """
    found: list[Chart | SkinChart] = []
    for field in space.fields:
        if isinstance(field, ScalarField):
            found.append(_scalar(history, field, truth, belief))
        elif isinstance(field, ChoiceField):
            found.append(_choice(history, field, truth, belief))
        elif isinstance(field, PointField):
            found += _point(history, field, shown, truth, belief)
    return [part for part in found if isinstance(part, SkinChart) or part.curves]


def _steps(history: History) -> np.ndarray:
    return np.array([frame.t for frame in history.frames])


def _posteriors(history: History, name: str) -> list[object]:
    return [None if f.decision.belief is None else f.decision.belief.fields.get(name) for f in history.frames]


def _scalar(history: History, field: ScalarField, truth: bool, belief: bool) -> Chart:
    t, curves = _steps(history), []
    said = _posteriors(history, field.name)
    if belief and any(isinstance(p, ScalarPosterior) for p in said):
        mean = np.array([p.mean if isinstance(p, ScalarPosterior) else np.nan for p in said])
        std = np.array([p.std if isinstance(p, ScalarPosterior) else np.nan for p in said])
        curves.append(Curve("belief ± 2σ", t, mean, spread=2 * std))
    if truth:
        y = np.array([float(frame.latent[field.name]) for frame in history.frames])
        curves.append(Curve("truth", t, y, "truth"))
    label = f"{field.label}, {field.unit}" if field.unit else field.label
    return Chart(field.label, "step", label, tuple(curves), tuple(history.session_spans() if truth else ()))


def _choice(history: History, field: ChoiceField, truth: bool, belief: bool) -> Chart:
    t, curves = _steps(history), []
    said = _posteriors(history, field.name)
    if belief and any(isinstance(p, ChoicePosterior) for p in said):
        for i, choice in enumerate(field.choices):
            p = [float(s.probabilities[i]) if isinstance(s, ChoicePosterior) else np.nan for s in said]
            curves.append(
                Curve(f"p({choice})", t, np.array(p), _ROLES[i % len(_ROLES)], dashed=i >= len(_ROLES))
            )
    elif truth:
        at = [field.choices.index(str(frame.latent[field.name])) for frame in history.frames]
        names = ", ".join(f"{i} = {choice}" for i, choice in enumerate(field.choices))
        return Chart(
            f"{field.label} ({names})", "step", "choice", (Curve("truth", t, np.array(at, float), "truth"),)
        )
    spans = tuple(history.session_spans()) if truth else ()
    return Chart(field.label, "step", "probability", tuple(curves), spans)


def _point(
    history: History, field: PointField, shown: Frame, truth: bool, belief: bool
) -> list[Chart | SkinChart]:
    point = shown.latent[field.name] if truth else None
    said = None if shown.decision.belief is None else shown.decision.belief.fields.get(field.name)
    if belief and isinstance(said, PointPosterior):
        where = None if point is None else (field.parts.index(point.part), point.axial, point.angle)
        return [
            SkinChart(f"{field.label} at step {shown.t}", field.parts, np.asarray(said.grid, float), where)
        ]
    if not truth:
        return []
    t = _steps(history)
    along = np.array(
        [field.parts.index(f.latent[field.name].part) + f.latent[field.name].axial for f in history.frames]
    )
    around = np.array([f.latent[field.name].angle for f in history.frames])
    spans = tuple(history.session_spans())
    names = ", ".join(f"{i} to {i + 1} = {part.replace('_', ' ')}" for i, part in enumerate(field.parts))
    return [
        Chart(
            f"{field.label}, along ({names})", "step", "along", (Curve("truth", t, along, "truth"),), spans
        ),
        Chart(f"{field.label}, around", "step", "angle, rad", (Curve("truth", t, around, "truth"),), spans),
    ]
