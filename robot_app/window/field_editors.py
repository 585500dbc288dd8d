"""Editors of latent fields, built from the LatentSpace: choice → combo, scalar → slider with unit, point → skin map."""

from __future__ import annotations

import math
from typing import Any

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QSlider, QVBoxLayout, QWidget

from robot_app.window.panel import heading, quiet
from robot_app.window.skin_map import SkinMap
from robot_app.window.theme import Theme
from scenes.latent import ChoiceField, LatentField, PointField, ScalarField, SurfacePoint

_STEPS = 1000


class KeySlider(QSlider):
    """A horizontal slider that keeps the arrow keys to itself while it has the focus."""

    def __init__(self) -> None:
        super().__init__(Qt.Horizontal)
        self.setRange(0, _STEPS)
        self.setPageStep(_STEPS // 10)
        self.setSingleStep(_STEPS // 100)

    def event(self, event) -> bool:
        if event.type() == QEvent.ShortcutOverride and event.key() in (Qt.Key_Left, Qt.Key_Right):
            event.accept()
            return True
        return super().event(event)

    def wheelEvent(self, event) -> None:
        event.ignore()  # scrolling the panel must not change values


class NumberRow(QWidget):
    """A slider and a number box that say the same, with a unit."""

    changed = Signal(float)

    def __init__(self, label: str, low: float, high: float, unit: str, decimals: int = 2) -> None:
        super().__init__()
        self._low, self._high = low, high
        self.slider, self.box = KeySlider(), QDoubleSpinBox()
        self.box.setRange(low, high)
        self.box.setDecimals(decimals)
        self.box.setSingleStep((high - low) / 50)
        self.box.setSuffix(f" {unit}" if unit else "")
        self.box.setKeyboardTracking(False)
        self.box.setFixedWidth(70)
        for control in (self.slider, self.box):
            control.setAccessibleName(label)
            control.setToolTip(f"{label}, {low:g} to {high:g} {unit}".rstrip())
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        self.label = quiet(label)
        self.label.setMinimumWidth(46)
        for i, widget in enumerate((self.label, self.slider, self.box)):
            grid.addWidget(widget, 0, i)
        grid.setColumnStretch(1, 1)
        self.slider.valueChanged.connect(self._slid)
        self.box.valueChanged.connect(self._typed)
        self._quiet = False
        self.value = low

    def set_value(self, value: float) -> None:
        """Show a value without telling."""
        self._quiet = True
        self.value = min(self._high, max(self._low, float(value)))
        self.slider.setValue(round((self.value - self._low) / (self._high - self._low) * _STEPS))
        self.box.setValue(self.value)
        self._quiet = False

    def _slid(self, position: int) -> None:
        if not self._quiet:
            self._take(self._low + position / _STEPS * (self._high - self._low))

    def _typed(self, value: float) -> None:
        if not self._quiet:
            self._take(value)

    def _take(self, value: float) -> None:
        self.set_value(value)
        self.changed.emit(self.value)


class FieldEditor(QWidget):
    """Edits one field. ``changed`` when the user changed it; ``value`` as LatentSpace.validate takes it."""

    changed = Signal()

    def __init__(self, field: LatentField) -> None:
        super().__init__()
        self.field = field
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(4)
        self.setAccessibleName(field.label)

    def value(self) -> Any:
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        raise NotImplementedError

    def set_truth(self, value: Any) -> None:
        """The value in force; None where it is not to be seen."""

    def clear(self) -> None:
        """Show none of the field's values more than another."""
        raise NotImplementedError

    def set_theme(self, theme: Theme) -> None: ...


class ChoiceEditor(FieldEditor):
    def __init__(self, field: ChoiceField) -> None:
        super().__init__(field)
        self.combo = QComboBox()
        self.combo.setAccessibleName(field.label)
        for choice in field.choices:
            self.combo.addItem(choice.replace("_", " "), choice)
        row = QGridLayout()
        row.addWidget(heading(field.label), 0, 0)
        row.addWidget(self.combo, 0, 1)
        row.setColumnStretch(1, 1)
        self.column.addLayout(row)
        self.combo.activated.connect(lambda _: self.changed.emit())

    def clear(self) -> None:
        self.combo.setCurrentIndex(-1)

    def value(self) -> str:
        return str(self.combo.currentData())

    def set_value(self, value: str) -> None:
        self.combo.setCurrentIndex(self.combo.findData(value))


class ScalarEditor(FieldEditor):
    def __init__(self, field: ScalarField) -> None:
        super().__init__(field)
        decimals = max(
            2, 2 - math.floor(math.log10(field.high - field.low))
        )  # a hundredth of the range shows
        self.row = NumberRow(field.label, field.low, field.high, field.unit, decimals)
        self.row.box.setFixedWidth(78)
        self.row.label.setObjectName("heading")
        self.column.addWidget(self.row)
        self.row.changed.connect(lambda _: self.changed.emit())

    def clear(self) -> None:
        self.row.set_value((self.row.box.minimum() + self.row.box.maximum()) / 2)

    def value(self) -> float:
        return self.row.value

    def set_value(self, value: float) -> None:
        self.row.set_value(value)


class PointEditor(FieldEditor):
    """A map of the skin to click, and the same as part, axial position and angle."""

    def __init__(self, field: PointField, theme: Theme) -> None:
        super().__init__(field)
        self._point = SurfacePoint(field.parts[0], 0.5, 0.0)
        self.map = SkinMap(field, theme, editable=True)
        self.map.setToolTip("Click or drag: where the preference is to be. The ring is where it is now.")
        self.part = QComboBox()
        self.part.setAccessibleName(f"{field.label}: body part")
        for part in field.parts:
            self.part.addItem(part.replace("_", " "), part)
        self.axial = NumberRow("Along", 0.0, 100.0, "%", 0)
        self.angle = NumberRow("Around", -180.0, 180.0, "°", 0)
        row = QGridLayout()
        row.setHorizontalSpacing(8)
        row.addWidget(heading(field.label), 0, 0)
        row.addWidget(self.part, 0, 1)
        row.setColumnStretch(1, 1)
        self.column.addLayout(row)
        self.column.addWidget(self.map)
        self.column.addWidget(self.axial)
        self.column.addWidget(self.angle)
        self.map.placed.connect(self._placed)
        self.part.activated.connect(lambda _: self._take(part=self.part.currentData()))
        self.axial.changed.connect(lambda value: self._take(axial=value / 100))
        self.angle.changed.connect(lambda value: self._take(angle=math.radians(value)))

    def _placed(self, point: SurfacePoint) -> None:
        self._take(part=point.part, axial=point.axial, angle=point.angle)

    def _take(self, **changes: Any) -> None:
        self.set_value(SurfacePoint(**{**self._point.to_dict(), **changes}))
        self.changed.emit()

    def clear(self) -> None:
        self.set_value(SurfacePoint(self.part.itemData(0), 0.5, 0.0))

    def value(self) -> dict[str, Any]:
        return self._point.to_dict()

    def set_value(self, value: SurfacePoint) -> None:
        self._point = value
        self.map.set_value(value)
        self.part.setCurrentIndex(self.part.findData(value.part))
        self.axial.set_value(100 * value.axial)
        self.angle.set_value(math.degrees(value.angle))

    def set_truth(self, value: SurfacePoint | None) -> None:
        self.map.set_truth(value)

    def set_theme(self, theme: Theme) -> None:
        self.map.theme = theme
        self.map.update()


def make_editor(field: LatentField, theme: Theme) -> FieldEditor:
    """The editor for a field's kind."""
    if isinstance(field, ChoiceField):
        return ChoiceEditor(field)
    if isinstance(field, ScalarField):
        return ScalarEditor(field)
    return PointEditor(field, theme)
