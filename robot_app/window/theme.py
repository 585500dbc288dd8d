"""Colours and style sheet, light and dark. One meaning per colour, everywhere: belief, truth, oracle, prediction.

Accents are Okabe & Ito's (*Color Universal Design*, 2008), which people with any kind of colour vision tell apart; meaning
never hangs on colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyqtgraph
from qtpy.QtGui import QColor, QFont, QFontDatabase, QPalette
from qtpy.QtWidgets import QApplication


@dataclass(frozen=True)
class Theme:
    """Colours as ``#rrggbb``.

    Attributes:
        window, panel, raised, pressed, border: surfaces, from back to front.
        text, quiet: writing.
        agent, truth, oracle, predicted: what acts and believes; what is; the oracle; inferred session ends.
        band: of every second session.
    """

    name: str
    window: str
    panel: str
    raised: str
    pressed: str
    border: str
    text: str
    quiet: str
    accent: str
    on_accent: str
    agent: str
    truth: str
    oracle: str
    predicted: str
    warning: str
    error: str
    band: str


THEMES: dict[str, Theme] = {
    "dark": Theme(
        "dark", window="#14161a", panel="#1a1d22", raised="#24282f", pressed="#2f353e", border="#2c313a",
        text="#dadee5", quiet="#949ca9", accent="#56b4e9", on_accent="#0b1116",
        agent="#56b4e9", truth="#ff9f1c", oracle="#2fb896", predicted="#d68ab6", warning="#e6b422", error="#f0674a",
        band="#22262d",
    ),
    "light": Theme(
        "light", window="#e9ecef", panel="#f8f9fa", raised="#ffffff", pressed="#dfe4e9", border="#d0d6dc",
        text="#1c2127", quiet="#5d6874", accent="#0072b2", on_accent="#ffffff",
        agent="#0072b2", truth="#c65a00", oracle="#007a59", predicted="#a8487f", warning="#8a6400", error="#b8321a",
        band="#eceff2",
    ),
}  # fmt: skip


def ensure_font(app: QApplication) -> None:
    """A readable font of one size everywhere; matplotlib's DejaVu Sans where the platform has none at all."""
    database = QFontDatabase()
    if not database.families():
        import matplotlib

        for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
            database.addApplicationFont(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name))
    font = QFont(app.font())
    families = set(database.families())
    for family in ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans"):
        if family in families:
            font.setFamily(family)
            break
    font.setPixelSize(12)
    app.setFont(font)


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Recolour the application; widgets that paint themselves listen to ``Workbench.theme_changed``."""
    app.setStyle("Fusion")
    palette = QPalette()
    roles = {
        QPalette.Window: theme.window, QPalette.WindowText: theme.text, QPalette.Base: theme.raised,
        QPalette.AlternateBase: theme.panel, QPalette.Text: theme.text, QPalette.Button: theme.raised,
        QPalette.ButtonText: theme.text, QPalette.Highlight: theme.accent, QPalette.HighlightedText: theme.on_accent,
        QPalette.ToolTipBase: theme.raised, QPalette.ToolTipText: theme.text, QPalette.PlaceholderText: theme.quiet,
        QPalette.Link: theme.accent, QPalette.Mid: theme.border, QPalette.Dark: theme.border,
    }  # fmt: skip
    for role, color in roles.items():
        palette.setColor(role, QColor(color))
    for role in (QPalette.Text, QPalette.ButtonText, QPalette.WindowText):
        palette.setColor(QPalette.Disabled, role, QColor(theme.quiet))
    app.setPalette(palette)
    app.setStyleSheet(style_sheet(theme))
    pyqtgraph.setConfigOptions(antialias=False, background=theme.panel, foreground=theme.quiet)


def style_sheet(theme: Theme) -> str:
    """QSS for everything that Fusion and the palette leave too heavy."""
    t = theme
    arrow = (Path(__file__).parent / "icons_svg" / f"down-{t.name}.svg").as_posix()
    return f"""
    QMainWindow, QDialog {{ background: {t.window}; }}
    QMainWindow::separator {{ background: {t.window}; width: 4px; height: 4px; }}
    QMainWindow::separator:hover {{ background: {t.accent}; }}
    QMenuBar {{ background: {t.window}; padding: 1px 4px; }}
    QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
    QMenuBar::item:selected {{ background: {t.pressed}; }}
    QMenu {{ background: {t.raised}; border: 1px solid {t.border}; padding: 4px; }}
    QMenu::item {{ padding: 4px 26px 4px 22px; border-radius: 3px; }}
    QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
    QMenu::item:disabled {{ color: {t.quiet}; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 6px; }}
    QToolBar {{ background: {t.window}; border: none; padding: 0 4px 2px 4px; spacing: 1px; }}
    QToolBar::separator {{ background: {t.border}; width: 1px; margin: 5px 5px; }}
    QToolButton {{ border: none; border-radius: 4px; padding: 4px; background: transparent; }}
    QToolButton:hover {{ background: {t.pressed}; }}
    QToolButton:checked {{ background: {t.pressed}; }}
    QToolButton:focus {{ outline: none; border: 1px solid {t.accent}; padding: 3px; }}
    QStatusBar {{ background: {t.window}; color: {t.quiet}; }}
    QStatusBar::item {{ border: none; }}
    QDockWidget {{ color: {t.quiet}; font-weight: 600; }}
    QDockWidget::title {{ background: {t.window}; padding: 5px 8px; text-align: left; }}
    #panel {{ background: {t.panel}; }}
    #panel QLabel {{ background: transparent; }}
    QTabBar {{ background: {t.window}; }}
    QTabBar::tab {{ background: {t.window}; color: {t.quiet}; padding: 5px 11px; border: none;
                    border-top: 2px solid transparent; }}
    QTabBar::tab:selected {{ background: {t.panel}; color: {t.text}; border-top: 2px solid {t.accent}; }}
    QTabBar::tab:hover {{ color: {t.text}; }}
    QPushButton {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 4px; padding: 4px 8px; }}
    QPushButton:hover {{ background: {t.pressed}; }}
    QPushButton:pressed, QPushButton:checked {{ background: {t.pressed}; border-color: {t.accent}; }}
    QPushButton:focus {{ border-color: {t.accent}; }}
    QPushButton:disabled {{ color: {t.quiet}; background: {t.panel}; }}
    QPushButton#primary {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; font-weight: 600; }}
    QPushButton#primary:disabled {{ background: {t.pressed}; color: {t.quiet}; border-color: {t.border}; }}
    QComboBox, QSpinBox, QDoubleSpinBox, QLineEdit {{ background: {t.raised}; border: 1px solid {t.border};
        border-radius: 4px; padding: 2px 6px; min-height: 19px; selection-background-color: {t.accent};
        selection-color: {t.on_accent}; }}
    QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QLineEdit:focus {{ border-color: {t.accent}; }}
    QComboBox:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{ color: {t.quiet}; background: {t.panel}; }}
    QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{ width: 0; }}
    QComboBox::drop-down {{ border: none; width: 18px; }}
    QComboBox::down-arrow {{ image: url({arrow}); width: 10px; height: 10px; }}
    QComboBox QAbstractItemView {{ background: {t.raised}; border: 1px solid {t.border}; outline: 0;
        selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QSlider::groove:horizontal {{ height: 4px; background: {t.pressed}; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
    QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {t.text}; }}
    QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
    QSlider::sub-page:horizontal:disabled {{ background: {t.pressed}; }}
    QSlider::handle:horizontal:disabled {{ background: {t.quiet}; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ background: transparent; width: 9px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 9px; margin: 0; }}
    QScrollBar::handle {{ background: {t.pressed}; border-radius: 4px; min-height: 24px; min-width: 24px; }}
    QScrollBar::handle:hover {{ background: {t.quiet}; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
        background: none; border: none; width: 0; height: 0; }}
    QTableWidget, QListWidget, QPlainTextEdit, QTreeWidget {{ background: {t.panel}; border: none; outline: 0;
        alternate-background-color: {t.band}; }}
    QTableWidget::item {{ padding: 0 6px; }}
    QHeaderView::section {{ background: {t.panel}; color: {t.quiet}; border: none; padding: 3px 6px; }}
    QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: 4px; }}
    QProgressBar {{ background: {t.pressed}; border: none; border-radius: 2px; max-height: 4px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 2px; }}
    #palette {{ background: {t.raised}; border: 1px solid {t.accent}; border-radius: 8px; }}
    #palette QTreeWidget {{ background: {t.raised}; }}
    QTreeWidget::item {{ padding: 3px 6px; }}
    QTreeWidget::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
    QLabel#quiet {{ color: {t.quiet}; }}
    QLabel#heading {{ color: {t.text}; font-weight: 600; }}
    QLabel#value {{ color: {t.text}; font-size: 15px; font-weight: 600; }}
    QLabel#empty {{ color: {t.quiet}; }}
    """
