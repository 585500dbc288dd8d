"""MainWindow: puts the panels into docks and the actions into menus. What they do is elsewhere."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QByteArray, QEvent, QSize, Qt, QTimer
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAction,
    QApplication,
    QDockWidget,
    QLabel,
    QMainWindow,
    QSplitter,
    QTabBar,
    QTabWidget,
    QToolBar,
    QWidget,
)

from robot_app.messages import Loaded, Status
from robot_app.takes import TakeInfo
from robot_app.window import panels as panels_package
from robot_app.window.actions import ACTIONS, MENUS, TOOLBAR
from robot_app.window.commands import Commands
from robot_app.window.drops import Drops
from robot_app.window.first_steps import FirstSteps
from robot_app.window.help_overlay import HelpOverlay
from robot_app.window.icons import icon
from robot_app.window.listener import Notice, policy_title, scene_title
from robot_app.window.notices import NoticeBar
from robot_app.window.opener import Opener
from robot_app.window.palette import CommandPalette
from robot_app.window.panel import BasePanel, find_panels
from robot_app.window.panels.recording import short
from robot_app.window.presenter import Presenter
from robot_app.window.scrolling import scrolled
from robot_app.window.settings import LAYOUT_VERSION, Settings
from robot_app.window.theme import apply_theme
from robot_app.window.timeline_actions import TimelineActions
from robot_app.window.trouble_dialog import TroubleDialog
from robot_app.window.workbench import Workbench, speed_text
from scenes.latent import PointField

_AREAS = {
    "left": Qt.LeftDockWidgetArea, "right": Qt.RightDockWidgetArea,
    "bottom": Qt.BottomDockWidgetArea, "strip": Qt.BottomDockWidgetArea,
}  # fmt: skip
#: Pixels of each area in a window as it first opens.
_LEFT, _RIGHT, _BOTTOM = 318, 330, 212


class MainWindow(QMainWindow):
    """The window; it owns the workbench and closes it."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.workbench = Workbench(settings or Settings(), self)
        self.setObjectName("main")
        self.setWindowTitle("robot-app")
        self.resize(1280, 800)
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.AllDockWidgetAreas, QTabWidget.North)
        self.setCorner(Qt.BottomLeftCorner, Qt.BottomDockWidgetArea)
        self.setCorner(Qt.BottomRightCorner, Qt.BottomDockWidgetArea)
        self.panels: dict[str, BasePanel] = {}
        self.docks: dict[str, QDockWidget] = {}
        self._make_panels()
        self.panels["recording"].offer_figures(self.panels)
        self.commands = Commands(self)
        self.actions_by_id: dict[str, QAction] = {}
        self._make_actions()
        self.opener = Opener(self)
        self.panels["timeline"].set_actions(self.actions_by_id)
        self._make_menus()
        self._make_status_bar()
        TimelineActions(self.workbench, self.actions_by_id)
        self.first_steps = FirstSteps(self)
        self.notice_bar = NoticeBar(self.viewport, self.workbench.theme)
        self.notice_bar.above = self.first_steps
        self.notice_bar.copy.clicked.connect(lambda: self.commands.copy_report())
        self.trouble_dialog = TroubleDialog(self, self.workbench.theme, lambda: self.commands.copy_report())
        self.presenter = Presenter(self)
        self.drops = Drops(self, self.workbench.theme, self.opener.open)
        self.palette_box = CommandPalette(
            self, self.actions_by_id, {a.id: a.menu for a in ACTIONS}, {a.id: a.words for a in ACTIONS}
        )
        self.help = HelpOverlay(self, self.workbench.theme)
        self.help.closed.connect(lambda: self.set_checked("help.keys", False))
        self._listen()
        self._first_state = self.saveState(LAYOUT_VERSION)
        layout = self.workbench.settings.layout()
        if layout is not None:
            self.restoreGeometry(layout[0])
            self.restoreState(layout[1], LAYOUT_VERSION)
        self._show_toggles()
        self._show_status(self.workbench.status)

    # ------------------------------------------------------------------------------------------------ making
    def _make_panels(self) -> None:
        first: dict[str, QDockWidget] = {}
        self._tidying = QTimer(self, singleShot=True, interval=0)
        self._tidying.timeout.connect(self._tidy_docks)
        # The strip comes first: what shares its area goes below it.
        for cls in sorted(find_panels(), key=lambda cls: cls.area != "strip"):
            panel = cls(self.workbench)
            name = cls.__module__.removeprefix(f"{panels_package.__name__}.")
            self.panels[name] = panel
            if cls.area == "centre":
                self.viewport = panel
                self.centre = QSplitter(Qt.Horizontal, childrenCollapsible=False)
                self.centre.addWidget(panel)
                self.setCentralWidget(self.centre)
                continue
            dock = QDockWidget(cls.title, self)
            dock.setObjectName(name)
            dock.setWidget(scrolled(panel) if cls.scrolls else panel)
            dock.setFeatures(
                QDockWidget.DockWidgetMovable
                | QDockWidget.DockWidgetFloatable
                | QDockWidget.DockWidgetClosable
            )
            self.addDockWidget(_AREAS[cls.area], dock)
            if cls.area in first:
                self.tabifyDockWidget(first[cls.area], dock)
            elif cls.area == "bottom" and "strip" in first:
                self.splitDockWidget(first["strip"], dock, Qt.Vertical)
            first.setdefault(cls.area, dock)
            self.docks[name] = dock
            for signal in (dock.topLevelChanged, dock.dockLocationChanged, dock.visibilityChanged):
                signal.connect(lambda *_: self._tidying.start())
        self.centre.addWidget(self.panels["compare"].view)
        for dock in first.values():
            dock.raise_()
        self.resizeDocks([first["left"], first["right"]], [_LEFT, _RIGHT], Qt.Horizontal)
        self.resizeDocks([first["bottom"]], [_BOTTOM], Qt.Vertical)

    def _tidy_docks(self) -> None:
        """A dock that shares tabs shows no second title, nor does a strip; tab bars draw no line of their own."""
        for dock in self.docks.values():
            bare = self.panels[dock.objectName()].area == "strip" or self.tabifiedDockWidgets(dock)
            bare = bool(bare) and not dock.isFloating()
            if bare and dock.titleBarWidget() is None:
                dock.setTitleBarWidget(QWidget(dock))
            elif not bare and dock.titleBarWidget() is not None:
                dock.titleBarWidget().deleteLater()
                dock.setTitleBarWidget(None)
        for bar in self.findChildren(QTabBar):
            bar.setDrawBase(False)
            bar.setExpanding(False)
            bar.setElideMode(Qt.ElideNone)
            bar.setFocusPolicy(Qt.TabFocus)

    def _make_actions(self) -> None:
        for row in ACTIONS:
            action = QAction(row.title, self)
            action.setObjectName(row.id)
            keys = [QKeySequence(key) for key in (row.shortcut, row.also) if key]
            action.setShortcuts(keys)
            action.setCheckable(row.checkable)
            action.setAutoRepeat(row.repeats)
            key = f" ({keys[0].toString(QKeySequence.NativeText)})" if keys else ""
            action.setToolTip(f"{row.title.rstrip('…')}{key}: {row.tip[0].lower()}{row.tip[1:]}")
            action.setStatusTip(row.tip)
            callback = getattr(self.commands, row.callback)
            action.triggered.connect(callback if row.checkable else lambda _=False, do=callback: do())
            self.addAction(action)  # shortcuts work with the menu bar hidden, too
            self.actions_by_id[row.id] = action

    def _make_menus(self) -> None:
        for title in MENUS:
            menu = self.menuBar().addMenu(title)
            menu.setObjectName(f"menu.{title}")
            for row in ACTIONS:
                if row.menu == title:
                    if row.separator:
                        menu.addSeparator()
                    menu.addAction(self.actions_by_id[row.id])
                    if row.id == "file.recent":
                        self.actions_by_id[row.id].setMenu(self.opener.menu)
            if title == "View":
                menu.addSeparator()
                for dock in self.docks.values():
                    menu.addAction(dock.toggleViewAction())
        self.toolbar = QToolBar("Toolbar", self)
        self.toolbar.setObjectName("toolbar")
        self.toolbar.setMovable(False)
        self.toolbar.setIconSize(QSize(19, 19))
        self.toolbar.setContextMenuPolicy(Qt.PreventContextMenu)
        for name in TOOLBAR:
            if name is None:
                self.toolbar.addSeparator()
            else:
                self.toolbar.addAction(self.actions_by_id[name])
        self.addToolBar(self.toolbar)
        self._paint_icons()

    def _paint_icons(self) -> None:
        theme = self.workbench.theme
        for row in ACTIONS:
            if row.icon:
                active = theme.error if row.id == "record.film" else theme.accent
                self.actions_by_id[row.id].setIcon(icon(row.icon, theme.text, active))
        self._show_play(self.workbench.status)

    def _make_status_bar(self) -> None:
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        self.status_labels: dict[str, QLabel] = {}
        for name, tip in (
            ("policy", "Who acts, and in which scene"), ("seed", "Seed of the episode"), ("step", "Step of the episode"),
            ("time", "Simulated time"), ("factor", "Simulated seconds per second, and what was asked for"),
            ("fps", "Pictures per second of the view"),
        ):  # fmt: skip
            label = QLabel()
            label.setToolTip(tip)
            label.setAccessibleName(tip)
            label.setContentsMargins(6, 0, 6, 0)
            bar.addPermanentWidget(label)
            self.status_labels[name] = label

    def _listen(self) -> None:
        bench = self.workbench
        bench.status_changed.connect(self._show_status)
        bench.frame.connect(lambda _: self._show_step())
        bench.beat.connect(self._show_fps)
        bench.loaded.connect(self._loaded)
        bench.view_changed.connect(lambda _: self._show_toggles())
        bench.notice.connect(self._notice)
        bench.kept.connect(self._tell_kept)
        bench.branched.connect(self._tell_branch)
        bench.trouble.connect(self.trouble_dialog.tell)
        bench.crashed.connect(lambda _: self._notice_crash())
        bench.place_wanted.connect(lambda on: self._toggle("preference.place", on))
        bench.compare_wanted.connect(lambda on: self._toggle("run.compare", on))
        bench.compared.connect(lambda on: self.set_checked("run.compare", on))
        bench.watch_wanted.connect(lambda on: self._toggle("training.watch", on))
        bench.report_wanted.connect(self.commands.copy_report)
        bench.checkpoint_wanted.connect(self.commands.open_checkpoint)
        bench.filmed.connect(lambda film: self.set_checked("record.film", film.running))
        bench.undo_stack.canUndoChanged.connect(self.actions_by_id["preference.undo"].setEnabled)
        bench.undo_stack.canRedoChanged.connect(self.actions_by_id["preference.redo"].setEnabled)
        for name in ("undo", "redo"):
            self.actions_by_id[f"preference.{name}"].setEnabled(False)

    # ------------------------------------------------------------------------------------------------ showing
    def _show_toggles(self) -> None:
        view = self.workbench.view
        for name in ("heat", "truth", "force", "shadow"):
            self.set_checked(f"view.{name}", getattr(view, name))
        self.set_checked("run.loop", self.workbench.settings.flag("run/loop", True))

    def set_checked(self, name: str, on: bool) -> None:
        """Show an action's state without doing it."""
        self.actions_by_id[name].setChecked(on)

    def _toggle(self, name: str, on: bool) -> None:
        if self.actions_by_id[name].isChecked() != on:
            self.actions_by_id[name].trigger()
        else:  # a button elsewhere has that state already: do it all the same
            self.actions_by_id[name].triggered.emit(on)

    def _show_play(self, status: Status) -> None:
        action = self.actions_by_id["run.play_pause"]
        playing = status.state == "playing"
        action.setIcon(icon("pause" if playing else "play", self.workbench.theme.text))
        action.setText("Pause" if playing else "Play")

    def _show_status(self, status: Status) -> None:
        self._show_play(status)
        labels = self.status_labels
        if status.state == "playing" and status.factor:
            labels["factor"].setText(f"×{status.factor:.2f} of {speed_text(status.speed)}")
        else:
            state = status.state if self.workbench.cursor is None else "looking back"
            labels["factor"].setText(f"{state}, {speed_text(status.speed)}")
        self._show_step()

    def _show_step(self) -> None:
        bench = self.workbench
        if bench.scene is None or bench.shown is None:
            return
        t = bench.shown.t
        self.status_labels["seed"].setText(f"seed {bench.history.seed}")
        self.status_labels["step"].setText(f"step {t} / {bench.scene.episode_length}")
        self.status_labels["time"].setText(f"{t * bench.scene.step_s:.1f} s")

    def _show_fps(self) -> None:
        fps = self.workbench.fps()
        self.status_labels["fps"].setText(f"{fps:.0f} fps" if fps >= 5 else "still")

    def _loaded(self, loaded: Loaded) -> None:
        policy = policy_title(loaded.policy)
        about = f"{scene_title(loaded.recipe.name)} · {policy}"
        self.status_labels["policy"].setText(about)
        self.setWindowTitle(f"{about} – robot-app")
        self._show_place(any(isinstance(field, PointField) for field in loaded.space.fields))
        self._show_step()

    def _show_place(self, possible: bool) -> None:
        """Placing is for scenes that hide a point on the skin."""
        action = self.actions_by_id["preference.place"]
        if not possible and action.isChecked():
            self._toggle("preference.place", False)
        action.setEnabled(possible)
        tip = next(row.tip for row in ACTIONS if row.id == "preference.place")
        action.setStatusTip(
            tip if possible else "This scene hides no point on the skin: use the Preference panel."
        )

    def _notice(self, notice: Notice) -> None:
        self.notice_bar.show_notice(notice)

    def _notice_crash(self) -> None:
        text = "The simulator stopped unexpectedly. Restart it to load the scene again."
        self.notice_bar.show_notice(Notice("error", text), "Restart", self.workbench.restart_simulator)

    def _tell_kept(self, path: Path, what: str) -> None:
        notice = Notice("info", f"Saved {short(path)} ({what}).")
        self.notice_bar.show_notice(notice, "Show folder", self.commands.show_recordings)

    def _tell_branch(self, take: TakeInfo) -> None:
        parent = next((other.name for other in self.workbench.takes if other.number == take.parent), "")
        kept = f"; what came after stays in {parent}" if parent else ""
        play = "" if self.workbench.status.state == "playing" else " Space plays on."
        self._notice(Notice("info", f"{take.name}: history goes another way from here{kept}.{play}"))

    def show_panel(self, name: str) -> None:
        """Bring a panel to the front."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()

    def set_theme(self, name: str) -> None:
        """Recolour everything."""
        bench = self.workbench
        bench.set_theme(name)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, bench.theme)
        for widget in (self.first_steps, self.notice_bar, self.help, self.trouble_dialog, self.drops):
            widget.set_theme(bench.theme)
        self._paint_icons()

    def reset_layout(self) -> None:
        self.presenter.set_presenting(False)
        self.restoreState(self._first_state, LAYOUT_VERSION)
        for name in ("preference", "belief", "adaptation"):
            self.show_panel(name)

    # ------------------------------------------------------------------------------------------------ life
    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self.notice_bar.place()
        if self.help.isVisible():
            self.help.place()

    def changeEvent(self, event) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.WindowStateChange and hasattr(self, "actions_by_id"):
            self.workbench.drawing.set_active(not self.isMinimized())
            self.set_checked("view.full_screen", self.isFullScreen())

    def closeEvent(self, event) -> None:
        """Remember everything, end what is ours; trainings go on."""
        self.presenter.set_presenting(False)  # what is remembered is the layout to work in
        self.workbench.settings.set_layout(QByteArray(self.saveGeometry()), self.saveState(LAYOUT_VERSION))
        self.trouble_dialog.forget()
        for panel in self.panels.values():
            panel.on_close()
        self.workbench.close()
        for timer in self.findChildren(QTimer):
            timer.stop()
        super().closeEvent(event)
