"""A monkey's hands: what it may do in a window, said in JSON before it is done, so that a log of it can be done again.

An event names its widget by the way to it (class and number among its siblings, from its window down), so that doing
it again needs no random number.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from qtpy import sip
from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence, QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QPushButton,
    QWidget,
)

from robot_app.window.actions import ACTIONS
from robot_app.window.main_window import MainWindow

Event = dict[str, Any]
#: How often each kind is done, relative to the others.
KINDS = {
    "action": 24, "click": 26, "key": 14, "drag": 8, "wheel": 6, "text": 5, "choose": 3, "slide": 5, "double": 2, "menu": 2,
    "dock": 2, "float": 0.5, "resize": 1, "state": 0.3, "drop": 0.6, "kill": 0.02, "rest": 0.6,
}  # fmt: skip
#: What starts processes, builds scenes or writes files costs seconds: share of the times it is thought of that it is done.
COSTLY = {
    "file.quit": 0.01, "file.policy": 0.2, "file.episode": 0.2, "file.configuration": 0.3, "run.compare": 0.1,
    "view.shadow": 0.3, "training.board": 0.1, "training.start": 0.2, "training.watch": 0.3, "record.film": 0.2,
    "record.still": 0.1, "record.episode": 0.2, "record.table": 0.2, "record.figure": 0.03, "record.folder": 0.3,
    "Load": 0.2, "Save figure": 0.03, "Take still": 0.1, "Record film": 0.2, "Start": 0.2, "TensorBoard": 0.1,
    "Compare": 0.1, "Save Figure of": 0.03, "Quit": 0.01,
}  # fmt: skip
TEXTS = (
    "", "0", "-1", "1e9", "nan", "7", "0.5", "ppo.lr=3e-4", "ppo.warmth=1", "'", '"', "a=", "=b", "next seed", "quit",
    "%s{}",
    "../../..", "日本語 \u200b\u202e", "x" * 5000, "\t\n", "train.copies=-3", "scene.name=nowhere", "😀",
)  # fmt: skip
PLAIN_KEYS = (
    "Esc", "Tab", "Shift+Tab", "Return", "Enter", "Up", "Down", "PgUp", "PgDown", "Backspace", "Delete", "Menu", "Alt+F4",
    "Ctrl+A", "Ctrl+C", "Ctrl+V", "Ctrl+X", "Shift+Right", "Q", "1", "Space", "F2", "F10", "Alt+R",
)  # fmt: skip
_SHORTCUTS = {key: action.id for action in ACTIONS for key in (action.shortcut, action.also) if key}
_BUTTONS = {"left": Qt.LeftButton, "right": Qt.RightButton, "middle": Qt.MiddleButton}
_MODIFIERS = {"": Qt.NoModifier, "shift": Qt.ShiftModifier, "ctrl": Qt.ControlModifier}
#: Seconds that one event may hold the monkey (a menu or a drag with an event loop of its own) before Esc is pressed for it.
PATIENCE_S = 0.5


def way_to(widget: QWidget) -> list[str]:
    """Its window, then class and number among its siblings on the way down."""
    steps: list[str] = []
    while True:
        parent = widget.parentWidget()
        if parent is None:
            return [f"{type(widget).__name__}#{widget.objectName()}", *reversed(steps)]
        alike = [child for child in parent.children() if type(child) is type(widget)]
        steps.append(f"{type(widget).__name__}:{alike.index(widget)}")
        widget = parent


def widget_at(way: list[str]) -> QWidget | None:
    """The widget at the end of the way, if there is one now."""
    tops = [w for w in QApplication.topLevelWidgets() if f"{type(w).__name__}#{w.objectName()}" == way[0]]
    here: Any = next((w for w in tops if w.isVisible()), tops[0] if tops else None)
    for step in way[1:]:
        name, _, number = step.rpartition(":")
        alike = [] if here is None else [child for child in here.children() if type(child).__name__ == name]
        here = alike[int(number)] if int(number) < len(alike) else None
    return here


class Hands:
    """Args:
    window: gives the window that is open now.
    baits: files to drop and to choose in dialogs: name → path.
    killed: told before the simulator is killed.
    """

    def __init__(
        self, window: Callable[[], MainWindow], baits: Mapping[str, str], killed: Callable[[], None]
    ) -> None:
        self._window, self._baits, self._killed = window, baits, killed
        self._busy_since: float | None = None
        self.rescued = 0
        #: Runs also in the event loops that menus and drags open.
        self.rescuer = QTimer(interval=100)
        self.rescuer.timeout.connect(self._rescue)
        self.rescuer.start()

    # ------------------------------------------------------------------------------------------------ thinking of something
    def think(self, rng: random.Random) -> Event:
        """Something that can be done now."""
        while True:
            kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
            if QApplication.activePopupWidget() is not None and rng.random() < 0.8:
                kind = rng.choice(("click", "key", "wheel"))
            event = getattr(self, f"_think_{kind}")(rng)
            if event is not None:
                return {"kind": kind, "answer": rng.choice(list(self._baits)), **event}

    def _some_widget(self, rng: random.Random, *classes: type) -> QWidget | None:
        """A visible one: each class as likely as any other."""
        top = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        everything = QApplication.allWidgets() if top is None else [top, *top.findChildren(QWidget)]
        by_class: dict[str, list[QWidget]] = {}
        for widget in everything:
            if (
                widget.isVisible() and widget.width() > 2 and widget.height() > 2
                and (not classes or isinstance(widget, classes)) and type(widget).__name__ != "QTipLabel"
            ):  # fmt: skip
                by_class.setdefault(type(widget).__name__, []).append(widget)
        return rng.choice(by_class[rng.choice(sorted(by_class))]) if by_class else None

    def _think_action(self, rng: random.Random) -> Event | None:
        name = rng.choice(ACTIONS).id
        action = self._window().actions_by_id[name]
        return {"id": name} if action.isEnabled() and rng.random() < COSTLY.get(name, 1.0) else None

    def _think_click(self, rng: random.Random) -> Event | None:
        widget = self._some_widget(rng)
        if widget is None:
            return None
        at = _inside(widget, rng)
        said = ""
        if isinstance(widget, QPushButton):
            said = widget.text()
        elif isinstance(widget, QMenu) and widget.actionAt(QPoint(*at)) is not None:
            action = widget.actionAt(QPoint(*at))
            said = action.objectName() if action.objectName() in COSTLY else action.text()
        if any(said.startswith(costly) and rng.random() > share for costly, share in COSTLY.items()):
            return None
        button = rng.choices(list(_BUTTONS), (12, 1, 0.3))[0]
        return {
            "at": way_to(widget),
            "xy": at,
            "button": button,
            "with": rng.choices(list(_MODIFIERS), (9, 1, 1))[0],
        }

    def _think_double(self, rng: random.Random) -> Event | None:
        widget = self._some_widget(rng)
        if widget is None or isinstance(widget, (QPushButton, QMenu)):
            return None
        return {"at": way_to(widget), "xy": _inside(widget, rng)}

    def _think_menu(self, rng: random.Random) -> Event | None:
        widget = self._some_widget(rng)
        return None if widget is None else {"at": way_to(widget), "xy": _inside(widget, rng)}

    def _think_key(self, rng: random.Random) -> Event | None:
        key = rng.choice((*_SHORTCUTS, *PLAIN_KEYS))
        return {"key": key} if rng.random() < COSTLY.get(_SHORTCUTS.get(key, ""), 1.0) else None

    def _think_drag(self, rng: random.Random) -> Event | None:
        widget = self._some_widget(rng)
        if widget is None or isinstance(widget, (QPushButton, QMenu)):
            return None
        path = [_inside(widget, rng)]
        for _ in range(rng.randint(1, 6)):
            path.append([path[-1][0] + rng.randint(-120, 120), path[-1][1] + rng.randint(-80, 80)])
        return {"at": way_to(widget), "path": path, "button": rng.choices(list(_BUTTONS), (6, 2, 1))[0]}

    def _think_wheel(self, rng: random.Random) -> Event | None:
        widget = self._some_widget(rng)
        if widget is None:
            return None
        return {
            "at": way_to(widget),
            "xy": _inside(widget, rng),
            "turn": rng.choice((-1200, -120, -15, 15, 120, 1200)),
        }

    def _think_text(self, rng: random.Random) -> Event | None:
        widget = self._some_widget(rng, QLineEdit, QAbstractSpinBox)
        if widget is None:
            return None
        return {"at": way_to(widget), "text": rng.choice(TEXTS), "enter": rng.random() < 0.3}

    def _think_choose(self, rng: random.Random) -> Event | None:
        combo = self._some_widget(rng, QComboBox)
        if not isinstance(combo, QComboBox) or not combo.count() or not combo.isEnabled():
            return None
        row = rng.randrange(combo.count())
        return (
            {"at": way_to(combo), "row": row}
            if combo.model().index(row, 0).flags() & Qt.ItemIsEnabled
            else None
        )

    def _think_slide(self, rng: random.Random) -> Event | None:
        slider = self._some_widget(rng, QAbstractSlider)
        if not isinstance(slider, QAbstractSlider):
            return None
        return {"at": way_to(slider), "value": rng.randint(slider.minimum(), slider.maximum())}

    def _think_dock(self, rng: random.Random) -> Event | None:
        return {"name": rng.choice(sorted(self._window().docks))}

    _think_float = _think_dock

    def _think_resize(self, rng: random.Random) -> Event | None:
        return {"size": [rng.choice((200, 640, 900, 1280, 1500)), rng.choice((150, 480, 720, 800, 950))]}

    def _think_state(self, rng: random.Random) -> Event | None:
        return {"how": rng.choice(("showMinimized", "showMaximized", "showNormal", "showFullScreen"))}

    def _think_drop(self, rng: random.Random) -> Event | None:
        return {"path": rng.choice([*self._baits, "http://example.org/a", "text"])}

    def _think_kill(self, _: random.Random) -> Event | None:
        return {} if self._window().workbench.runtime.alive else None

    def _think_rest(self, rng: random.Random) -> Event | None:
        return {"ms": rng.choice((20, 50, 150, 400))}

    # ------------------------------------------------------------------------------------------------ doing it
    def do(self, event: Event) -> None:
        """Do it, and let the window have its turn; what can no longer be done (a widget that is gone) is not."""
        self._busy_since = time.monotonic()
        try:
            getattr(self, f"_do_{event['kind']}")(event)
        finally:
            self._busy_since = None
        turn()

    def _do_action(self, event: Event) -> None:
        action = self._window().actions_by_id[event["id"]]
        if action.isEnabled():
            action.trigger()

    def _do_click(self, event: Event) -> None:
        widget = widget_at(event["at"])
        if widget is None:
            return
        at, button, keys = QPoint(*event["xy"]), _BUTTONS[event["button"]], _MODIFIERS[event["with"]]
        QTest.mousePress(widget, button, keys, at)
        if not sip.isdeleted(widget):
            QTest.mouseRelease(widget, button, keys, at)

    def _do_double(self, event: Event) -> None:
        widget = widget_at(event["at"])
        if widget is not None:
            QTest.mouseDClick(widget, Qt.LeftButton, Qt.NoModifier, QPoint(*event["xy"]))

    def _do_menu(self, event: Event) -> None:
        from qtpy.QtGui import QContextMenuEvent

        widget = widget_at(event["at"])
        if widget is not None:
            at = QPoint(*event["xy"])
            QApplication.sendEvent(
                widget, QContextMenuEvent(QContextMenuEvent.Mouse, at, widget.mapToGlobal(at))
            )

    def _do_key(self, event: Event) -> None:
        target = QApplication.activePopupWidget() or QApplication.focusWidget() or self._window().viewport
        code = QKeySequence(event["key"])[0]
        mask = int(Qt.KeyboardModifierMask)
        QTest.keyClick(target, Qt.Key(code & ~mask), Qt.KeyboardModifiers(code & mask))

    def _do_drag(self, event: Event) -> None:
        widget = widget_at(event["at"])
        if widget is None:
            return
        button = _BUTTONS[event["button"]]
        first, *rest = (QPoint(*xy) for xy in event["path"])
        QTest.mousePress(widget, button, Qt.NoModifier, first)
        for at in rest:
            if sip.isdeleted(widget):
                return
            move = QMouseEvent(
                QEvent.MouseMove,
                QPointF(at),
                QPointF(widget.mapToGlobal(at)),
                Qt.NoButton,
                button,
                Qt.NoModifier,
            )
            QApplication.sendEvent(widget, move)
        if not sip.isdeleted(widget):
            at = rest[-1]
            release = QMouseEvent(
                QEvent.MouseButtonRelease, QPointF(at), QPointF(widget.mapToGlobal(at)), button, Qt.NoButton, Qt.NoModifier
            )  # fmt: skip
            QApplication.sendEvent(widget, release)

    def _do_wheel(self, event: Event) -> None:
        widget = widget_at(event["at"])
        if widget is not None:
            at = QPoint(*event["xy"])
            turned = QWheelEvent(
                QPointF(at), QPointF(widget.mapToGlobal(at)), QPoint(), QPoint(0, event["turn"]),
                Qt.NoButton, Qt.NoModifier, Qt.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(widget, turned)

    def _do_text(self, event: Event) -> None:
        widget = widget_at(event["at"])
        if not isinstance(widget, (QLineEdit, QAbstractSpinBox)) or not widget.isEnabled():
            return
        widget.setFocus()
        widget.selectAll()
        typed = event["text"][:40]
        if len(event["text"]) > 40 or not (typed.isprintable() and typed.isascii()):  # pasted
            line = widget if isinstance(widget, QLineEdit) else widget.lineEdit()
            line.insert(event["text"])
        else:
            QTest.keyClicks(widget, typed)
        if event["enter"] and not sip.isdeleted(widget):
            QTest.keyClick(widget, Qt.Key_Return)

    def _do_choose(self, event: Event) -> None:
        combo = widget_at(event["at"])
        if isinstance(combo, QComboBox) and event["row"] < combo.count():
            combo.setCurrentIndex(event["row"])
            combo.activated.emit(event["row"])

    def _do_slide(self, event: Event) -> None:
        slider = widget_at(event["at"])
        if isinstance(slider, QAbstractSlider) and slider.isEnabled():
            slider.setSliderDown(True)
            slider.setSliderPosition(event["value"])
            slider.setSliderDown(False)

    def _do_dock(self, event: Event) -> None:
        self._window().docks[event["name"]].toggleViewAction().trigger()

    def _do_float(self, event: Event) -> None:
        dock = self._window().docks[event["name"]]
        dock.setFloating(not dock.isFloating())

    def _do_resize(self, event: Event) -> None:
        self._window().resize(*event["size"])

    def _do_state(self, event: Event) -> None:
        getattr(self._window(), event["how"])()

    def _do_drop(self, event: Event) -> None:
        data, path = QMimeData(), self._baits.get(event["path"], event["path"])
        if path == "text":
            data.setText(path)
        else:
            data.setUrls([QUrl(path) if path.startswith("http") else QUrl.fromLocalFile(path)])
        window, at = self._window(), QPoint(200, 100)
        given = (at, Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier)
        QApplication.sendEvent(window, QDragEnterEvent(*given))
        QApplication.sendEvent(window, QDropEvent(*given))

    def _do_kill(self, _: Event) -> None:
        self._killed()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._window().workbench.runtime.pid, signal.SIGKILL)

    def _do_rest(self, event: Event) -> None:
        until = time.monotonic() + event["ms"] / 1000
        while time.monotonic() < until:
            turn()
            time.sleep(0.002)

    def _rescue(self) -> None:
        """Esc for whatever holds the monkey."""
        if self._busy_since is None or time.monotonic() - self._busy_since < PATIENCE_S:
            return
        self._busy_since = time.monotonic()
        self.rescued += 1
        held = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if held is not None:
            held.close()
        else:  # a drag
            for kind in (QEvent.KeyPress, QEvent.KeyRelease):
                QApplication.sendEvent(self._window(), QKeyEvent(kind, Qt.Key_Escape, Qt.NoModifier))


def turn() -> None:
    """One turn of the event loop, with what is deleted at its end."""
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.DeferredDelete)


def _inside(widget: QWidget, rng: random.Random) -> list[int]:
    return [rng.randrange(widget.width()), rng.randrange(widget.height())]
