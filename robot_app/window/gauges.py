"""Small pictures of a belief: a Gaussian on its field's range, probabilities of choices, the embedding z."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from dynamite.belief import ChoicePosterior, ScalarPosterior
from robot_app.window.theme import Theme
from scenes.latent import ChoiceField, ScalarField

_LABEL = 92


class _Gauge(QWidget):
    def __init__(self, theme: Theme, height: int) -> None:
        super().__init__()
        self.theme = theme
        self._height = height
        self._zoom = 1.0
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setFixedHeight(height)

    def sizeHint(self) -> QSize:
        return QSize(round(260 * self._zoom), round(self._height * self._zoom))

    @property
    def wide(self) -> float:
        """Width in the units that are painted in: pixels at zoom 1."""
        return self.width() / self._zoom

    @property
    def tall(self) -> float:
        return self.height() / self._zoom

    def set_zoom(self, zoom: float) -> None:
        """Everything so many times as large."""
        self._zoom = zoom
        self.setFixedHeight(round(self._height * zoom))
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def _begin(self) -> QPainter:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.scale(self._zoom, self._zoom)
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        return painter


class ScalarGauge(_Gauge):
    """Mean ± 2σ as a band on the field's range, the truth as a ring."""

    def __init__(self, field: ScalarField, theme: Theme) -> None:
        super().__init__(theme, 34)
        self.field = field
        self._posterior: ScalarPosterior | None = None
        self._truth: float | None = None
        self.setAccessibleName(f"Belief about {field.label}")

    def show_values(self, posterior: ScalarPosterior | None, truth: float | None) -> None:
        self._posterior, self._truth = posterior, truth
        self.setToolTip(
            ""
            if posterior is None
            else f"{posterior.mean:.2f} ± {2 * posterior.std:.2f} {self.field.unit} (2σ)"
        )
        self.update()

    def _x(self, value: float) -> float:
        share = (value - self.field.low) / (self.field.high - self.field.low)
        return _LABEL + 6 + min(1.0, max(0.0, share)) * (self.wide - _LABEL - 18)

    def paintEvent(self, _) -> None:
        painter, theme, field = self._begin(), self.theme, self.field
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(0, 0, _LABEL, 20), Qt.AlignLeft | Qt.AlignVCenter, field.label)
        y = 10.0
        painter.setPen(QPen(QColor(theme.pressed), 4, Qt.SolidLine, Qt.RoundCap))
        painter.drawLine(QPointF(self._x(field.low), y), QPointF(self._x(field.high), y))
        painter.setPen(QColor(theme.quiet))
        for value, align in ((field.low, Qt.AlignLeft), (field.high, Qt.AlignRight)):
            text = f"{value:g} {field.unit}".strip()
            painter.drawText(QRectF(_LABEL, 18, self.wide - _LABEL - 6, 15), align | Qt.AlignVCenter, text)
        p = self._posterior
        if p is not None:
            color = QColor(theme.agent)
            color.setAlpha(110)
            left, right = self._x(p.mean - 2 * p.std), self._x(p.mean + 2 * p.std)
            painter.setPen(Qt.NoPen)
            painter.setBrush(color)
            painter.drawRoundedRect(QRectF(left, y - 5, max(2.0, right - left), 10), 4, 4)
            painter.setPen(QPen(QColor(theme.agent), 2.5))
            painter.drawLine(QPointF(self._x(p.mean), y - 7), QPointF(self._x(p.mean), y + 7))
        if self._truth is not None:
            painter.setBrush(Qt.NoBrush)
            painter.setPen(QPen(QColor(theme.truth), 2))
            painter.drawEllipse(QPointF(self._x(self._truth), y), 5, 5)


class ChoiceGauge(_Gauge):
    """A bar per choice, the truth with a ring."""

    def __init__(self, field: ChoiceField, theme: Theme) -> None:
        super().__init__(theme, 20 + 17 * len(field.choices))
        self.field = field
        self._posterior: ChoicePosterior | None = None
        self._truth: str | None = None
        self.setAccessibleName(f"Belief about {field.label}")

    def show_values(self, posterior: ChoicePosterior | None, truth: str | None) -> None:
        self._posterior, self._truth = posterior, truth
        self.update()

    def paintEvent(self, _) -> None:
        painter, theme = self._begin(), self.theme
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(0, 0, self.wide, 18), Qt.AlignLeft | Qt.AlignVCenter, self.field.label)
        full = self.wide - _LABEL - 46
        for i, choice in enumerate(self.field.choices):
            y = 20 + 17 * i
            true = choice == self._truth
            painter.setPen(QColor(theme.text if true else theme.quiet))
            painter.drawText(
                QRectF(16, y, _LABEL - 18, 15), Qt.AlignLeft | Qt.AlignVCenter, choice.replace("_", " ")
            )
            if true:
                painter.setBrush(Qt.NoBrush)
                painter.setPen(QPen(QColor(theme.truth), 2))
                painter.drawEllipse(QPointF(6, y + 7.5), 4, 4)
            painter.setPen(Qt.NoPen)
            painter.setBrush(QColor(theme.pressed))
            painter.drawRoundedRect(QRectF(_LABEL, y + 4, full, 7), 3, 3)
            if self._posterior is not None:
                p = float(self._posterior.probabilities[i])
                painter.setBrush(QColor(theme.agent))
                painter.drawRoundedRect(QRectF(_LABEL, y + 4, max(3.0, full * p), 7), 3, 3)
                painter.setPen(QColor(theme.quiet))
                painter.drawText(
                    QRectF(_LABEL + full, y, 40, 15), Qt.AlignRight | Qt.AlignVCenter, f"{100 * p:.0f} %"
                )


class LatentGauge(_Gauge):
    """Each entry of z: mean and ± 2σ on one scale."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, 74)
        self._mean = self._std = np.zeros(0)
        self._scale = 3.0
        self.setAccessibleName("Embedding z")

    def show_values(self, mean: np.ndarray, logvar: np.ndarray) -> None:
        self._mean, self._std = np.asarray(mean, float), np.exp(0.5 * np.asarray(logvar, float))
        reach = float(np.max(np.abs(self._mean) + 2 * self._std, initial=1.0))
        self._scale = max(reach, 0.97 * self._scale)  # shrinks slowly, so that the axis does not flicker
        rows = [
            f"z{i} = {m:+.2f} ± {2 * s:.2f}"
            for i, (m, s) in enumerate(zip(self._mean, self._std, strict=True))
        ]
        self.setToolTip("\n".join(rows) + "\n(mean ± 2σ)")
        self.update()

    def paintEvent(self, _) -> None:
        painter, theme = self._begin(), self.theme
        top, bottom, left = 3.0, self.tall - 16.0, 30.0
        middle, half = (top + bottom) / 2, (bottom - top) / 2
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(QPointF(left, middle), QPointF(self.wide - 4, middle))
        painter.setPen(QColor(theme.quiet))
        for value, y in ((self._scale, top), (-self._scale, bottom)):
            painter.drawText(
                QRectF(0, y - 7 if y > middle else y - 2, left - 4, 14), Qt.AlignRight, f"{value:+.1f}"
            )
        n = len(self._mean)
        if not n:
            return
        width = (self.wide - left - 4) / n
        wide = min(width * 0.62, 20.0)
        for i in range(n):
            x = left + (i + 0.5) * width
            y, reach = middle - half * self._mean[i] / self._scale, half * 2 * self._std[i] / self._scale
            color = QColor(theme.agent)
            color.setAlpha(100)
            painter.setPen(Qt.NoPen)
            painter.setBrush(color)
            painter.drawRoundedRect(QRectF(x - wide / 2, y - reach, wide, max(2.0, 2 * reach)), 3, 3)
            painter.setPen(QPen(QColor(theme.agent), 2.5))
            painter.drawLine(QPointF(x - wide / 2, y), QPointF(x + wide / 2, y))
            painter.setPen(QColor(theme.quiet))
            painter.drawText(QRectF(x - width / 2, bottom + 2, width, 13), Qt.AlignCenter, f"z{i}")
