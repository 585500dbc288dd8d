# ruff: noqa: E501 -- a table, a row per line
"""Every command of the window, once. Menus, toolbar, shortcuts, the palette (Ctrl+K) and the help (F1) are made from it.

``callback`` names a method of :class:`robot_app.window.commands.Commands`; a checkable action's method is given the new
state.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """One command.

    Attributes:
        id: unique, as in ``run.play_pause``.
        title: in menus and the palette, as a verb phrase.
        menu: title of its menu.
        shortcut: its key, as QKeySequence reads it; empty for none. also: a second one.
        tip: one sentence.
        callback: name of the method.
        icon: its picture's name where it is on the toolbar.
        checkable: has a state.
        separator: a line above it in its menu.
        words: what people may call it besides, for the palette.
        repeats: is done again and again while its key is held; a held key must not start ten trainings.
    """

    id: str
    title: str
    menu: str
    shortcut: str
    tip: str
    callback: str
    icon: str = ""
    also: str = ""
    checkable: bool = False
    separator: bool = False
    repeats: bool = False
    words: str = ""


_CAMERAS = tuple(
    Action(
        f"view.camera_{n}",
        f"Camera {n}",
        "View",
        str(n),
        f"Look from the scene's view number {n}.",
        f"camera_{n}",
    )
    for n in range(1, 7)
)

ACTIONS: tuple[Action, ...] = (
    Action("file.scene", "Choose Scene and Policy…", "File", "Ctrl+O", "Show the Scene panel.", "show_scene", words="feeding drinking bathing dressing robot task environment"),
    Action("file.policy", "Open Checkpoint…", "File", "Ctrl+Shift+O", "Let a trained policy from a folder act.", "open_checkpoint"),
    Action("file.episode", "Open Episode…", "File", "Ctrl+Alt+O", "Look at a recorded episode with its whole past, and go on from any step.", "open_episode"),
    Action("file.configuration", "Open Configuration…", "File", "Ctrl+Alt+Y", "Take a training's YAML file into the Training panel.", "open_configuration"),
    Action("file.recent", "Open Recent", "File", "Ctrl+Alt+R", "Choose among what was opened lately.", "open_recent"),
    Action("file.quit", "Quit", "File", "Ctrl+Q", "Close the window. Trainings go on.", "quit", separator=True),

    Action("run.play_pause", "Play / Pause", "Run", "Space", "Run the scene, or hold it.", "play_pause", icon="play", words="start stop hold resume"),
    Action("run.step", "Step", "Run", "Right", "Take one step of the scene and hold.", "step", icon="step", repeats=True),
    Action("run.reset", "Restart Episode", "Run", "R", "Start over with the same seed.", "reset", icon="reset"),
    Action("run.next_seed", "Next Seed", "Run", "N", "Start an episode with the next seed.", "next_seed", icon="next"),
    Action("run.faster", "Faster", "Run", "+", "Raise the speed.", "faster", also="=", separator=True),
    Action("run.slower", "Slower", "Run", "-", "Lower the speed.", "slower"),
    Action("run.real_time", "Real Time", "Run", "0", "One simulated second per second.", "real_time"),
    Action("run.compare", "Compare with Another Policy", "Run", "V", "Let the policy chosen in the Compare panel act beside, in lock-step.", "set_compare", icon="compare", checkable=True, words="side by side versus two"),
    Action("run.loop", "Go On with the Next Seed", "Run", "L", "When an episode ends, start the next by itself.", "set_loop", checkable=True),

    Action("preference.place", "Place Preference", "Preference", "P", "Click the skin to move the hidden preference there, now.", "set_place", icon="place", checkable=True, words="move itch change click skin"),
    Action("preference.apply_now", "Apply Now", "Preference", "Ctrl+Return", "Put the edited preference in force with the next step.", "apply_now", separator=True),
    Action("preference.apply_next", "Apply at Next Session", "Preference", "Ctrl+Shift+Return", "Keep the edited preference until the session ends.", "apply_next"),
    Action("preference.drift", "Let It Drift", "Preference", "D", "Leave the preference alone: small random steps at every session end.", "drift"),
    Action("preference.surprise", "Surprise", "Preference", "X", "Draw a new preference and put it in force now.", "surprise", icon="dice"),
    Action("preference.undo", "Undo Preference Edit", "Preference", "Ctrl+Z", "Take back the last edit of the preference or of the sessions.", "undo", separator=True),
    Action("preference.redo", "Redo Preference Edit", "Preference", "Ctrl+Shift+Z", "Put the edit in force again.", "redo"),

    Action("timeline.start", "Go to the Start", "Timeline", "Home", "Look at the first step.", "seek_start", words="rewind beginning past"),
    Action("timeline.back", "Step Back", "Timeline", "Left", "Look at the step before.", "step_back", icon="back", repeats=True, words="rewind past undo time"),
    Action("timeline.previous", "Previous Change", "Timeline", ",", "Look at the last change or edit before this step.", "previous_change", icon="previous_change", repeats=True),
    Action("timeline.next", "Next Change", "Timeline", ".", "Look at the next change or edit after this step.", "next_change", icon="next_change", repeats=True),
    Action("timeline.live", "Back to Live", "Timeline", "End", "Look at the newest step again.", "live", icon="live"),
    Action("timeline.branch", "Branch Here", "Timeline", "B", "Go on from this step in a new take; the old one is kept.", "branch", icon="branch", separator=True, words="change history fork"),
    Action("timeline.verify", "Verify Replay", "Timeline", "Y", "Run this take again and compare every step to the last bit.", "verify"),
    Action("timeline.next_take", "Next Take", "Timeline", "]", "Look at the next take of this session.", "next_take"),
    Action("timeline.previous_take", "Previous Take", "Timeline", "[", "Look at the take before.", "previous_take"),

    Action("view.heat", "Belief on the Skin", "View", "H", "Paint what the policy believes on the skin.", "set_heat", icon="heat", checkable=True),
    Action("view.truth", "True Preference", "View", "T", "Show the true preference, or hide everything that tells it (a blind demonstration).", "set_truth", icon="truth", checkable=True),
    Action("view.force", "Contact Force", "View", "C", "Show the tool's force on the person as an arrow.", "set_force", icon="force", checkable=True),
    Action("view.follow", "Follow the Tool", "View", "F", "Keep the tool in the middle of the picture.", "set_follow", icon="follow", checkable=True),
    Action("view.shadow", "Shadows", "View", "S", "Cast shadows; about twice the drawing time.", "set_shadow", checkable=True),
    *_CAMERAS,
    Action("view.theme", "Light or Dark", "View", "Ctrl+T", "Switch between the light and the dark theme.", "switch_theme", icon="theme", separator=True),
    Action("view.presenter", "Presenter Mode", "View", "F5", "Show the scene and the belief alone, in large type; Esc ends it.", "set_presenter", checkable=True),
    Action("view.full_screen", "Full Screen", "View", "F11", "Fill the screen, or stop filling it.", "set_full_screen", checkable=True),
    Action("view.layout", "Reset Layout", "View", "Ctrl+Shift+L", "Put all panels back in their places.", "reset_layout"),

    Action("training.start", "Start Training", "Training", "Ctrl+B", "Train the chosen variant in a process of its own.", "start_training"),
    Action("training.pause", "Pause Training", "Training", "Ctrl+Alt+B", "Finish the iteration, keep a checkpoint, go on later.", "pause_training"),
    Action("training.stop", "Stop Training", "Training", "Ctrl+Shift+B", "Finish the iteration, write a checkpoint and stop.", "stop_training"),
    Action("training.watch", "Watch Newest Checkpoint", "Training", "W", "Let the training's newest checkpoint act, and each newer one.", "set_watch", checkable=True),
    Action("training.board", "Open in TensorBoard", "Training", "Ctrl+Shift+T", "Show every curve in the browser.", "open_board", separator=True),

    Action("record.film", "Record Film", "Record", "Ctrl+R", "Write what the view shows to an MP4 until pressed again.", "set_film", icon="record", checkable=True, words="video movie"),
    Action("record.still", "Take Still", "Record", "Ctrl+P", "Save a careful picture of this moment as PNG.", "still", icon="still", words="screenshot photo image"),
    Action("record.episode", "Save Episode", "Record", "Ctrl+S", "Write the episode so far to a folder that replays it exactly.", "save_episode", separator=True),
    Action("record.table", "Export Table", "Record", "Ctrl+E", "Write the episode so far as CSV, a row per step.", "export_table"),
    Action("record.figure", "Save Figure", "Record", "Ctrl+Shift+F", "Keep the panel chosen in the Recording panel as PDF, PNG and CSV.", "save_figure"),
    Action("record.folder", "Show Recordings", "Record", "Ctrl+Shift+E", "Open the folder that recordings go to.", "show_recordings"),

    Action("help.palette", "Command Palette", "Help", "Ctrl+K", "Find any command by typing.", "show_palette", icon="palette"),
    Action("help.first", "First Steps", "Help", "Shift+F1", "Show the four things to try first, one at a time.", "show_first_steps", words="tutorial guide begin start tour"),
    Action("help.keys", "Keys and Mouse", "Help", "F1", "Show every shortcut on one page.", "set_help", icon="help", checkable=True),
    Action("help.report", "Copy Report", "Help", "Ctrl+Shift+C", "Copy versions, log and settings for a bug report.", "copy_report"),
)  # fmt: skip

MENUS: tuple[str, ...] = ("File", "Run", "Preference", "Timeline", "View", "Training", "Record", "Help")

#: Ids in the order of the toolbar; None is a gap.
TOOLBAR: tuple[str | None, ...] = (
    "run.play_pause", "run.step", "run.reset", "run.next_seed", None,
    "preference.place", "preference.surprise", None,
    "view.heat", "view.truth", "view.force", "view.follow", None,
    "record.film", "record.still", None,
    "view.theme", "help.palette", "help.keys",
)  # fmt: skip

#: What the mouse does over the scene, for the help page.
MOUSE: tuple[tuple[str, str], ...] = (
    ("Drag", "orbit"),
    ("Right drag, Shift+drag", "pan"),
    ("Wheel", "zoom"),
    ("Double click", "back to the scene's view"),
    ("Click while placing", "move the preference there"),
)
