# ruff: noqa: E501 -- a table, a row per line
"""Icons, drawn from paths on a 24 × 24 grid in the theme's colours: strokes of 1.8, round ends."""

from __future__ import annotations

from qtpy.QtCore import QByteArray, QRectF, QSize, Qt
from qtpy.QtGui import QIcon, QPainter, QPixmap
from qtpy.QtSvg import QSvgRenderer

#: Name → SVG elements; ``F`` marks what is filled instead of stroked.
PATHS: dict[str, str] = {
    "play": '<path F d="M8 5.2v13.6L19 12z"/>',
    "pause": '<path F d="M7 5h3.6v14H7zM13.4 5H17v14h-3.6z"/>',
    "step": '<path F d="M6 5.2v13.6L15.5 12z"/><path d="M18 5.5v13"/>',
    "reset": '<path d="M19 12a7 7 0 1 1-2.2-5.1"/><path d="M17.4 3.2v4.2h-4.2"/>',
    "next": '<path d="M5 12h12"/><path d="M12.5 6.5 18 12l-5.5 5.5"/>',
    "back": '<path F d="M18 5.2v13.6L8.5 12z"/><path d="M6 5.5v13"/>',
    "previous_change": '<path d="m11 6-6 6 6 6"/><path d="M5.5 12H13"/><path d="M18 4.5v15"/>',
    "next_change": '<path d="m13 6 6 6-6 6"/><path d="M18.5 12H11"/><path d="M6 4.5v15"/>',
    "live": '<path F d="M5 5.2v13.6L13 12z"/><circle F cx="17.5" cy="12" r="3.2"/>',
    "branch": '<circle cx="7" cy="5.5" r="2.2"/><circle cx="7" cy="18.5" r="2.2"/><circle cx="17" cy="8.5" r="2.2"/><path d="M7 7.7v8.6M17 10.7c0 3.6-5 3.3-9.5 5.6"/>',
    "compare": '<rect x="3.5" y="5.5" width="7.4" height="13" rx="1.6"/><rect x="13.1" y="5.5" width="7.4" height="13" rx="1.6"/>',
    "place": '<circle cx="12" cy="12" r="6.5"/><circle F cx="12" cy="12" r="2"/><path d="M12 2v4M12 18v4M2 12h4M18 12h4"/>',
    "heat": '<path d="M12 3c3.6 4 6 6.8 6 10.2a6 6 0 0 1-12 0C6 9.8 8.4 7 12 3z"/><path d="M9.3 14.2a2.8 2.8 0 0 0 2.7 2.7"/>',
    "truth": '<circle cx="12" cy="12" r="7"/><circle F cx="12" cy="12" r="1.6"/>',
    "force": '<path d="M5 19 17 7"/><path d="M9.5 6H18v8.5"/>',
    "follow": '<path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/><circle F cx="12" cy="12" r="2.2"/>',
    "record": '<circle cx="12" cy="12" r="8"/><circle F cx="12" cy="12" r="4.4"/>',
    "still": '<path d="M4 8h3.4L9 5.5h6L16.6 8H20v11H4z"/><circle cx="12" cy="13" r="3.4"/>',
    "theme": '<circle cx="12" cy="12" r="7.5"/><path F d="M12 4.5a7.5 7.5 0 0 1 0 15z"/>',
    "palette": '<circle cx="10.5" cy="10.5" r="6"/><path d="m15 15 5 5"/>',
    "help": '<circle cx="12" cy="12" r="8.5"/><path d="M9.6 9.6a2.5 2.5 0 1 1 3.5 2.5c-.8.4-1.1.9-1.1 1.8"/><circle F cx="12" cy="16.6" r=".9"/>',
    "close": '<path d="m6.5 6.5 11 11M17.5 6.5l-11 11"/>',
    "dice": '<rect x="4.5" y="4.5" width="15" height="15" rx="3"/><circle F cx="9" cy="9" r="1.4"/><circle F cx="15" cy="15" r="1.4"/><circle F cx="12" cy="12" r="1.4"/>',
}  # fmt: skip


def icon(name: str, color: str, active: str | None = None) -> QIcon:
    """The icon called ``name``; checked, it takes the colour ``active``."""
    made = QIcon()
    made.addPixmap(_pixmap(name, color), QIcon.Normal, QIcon.Off)
    if active is not None:
        made.addPixmap(_pixmap(name, active), QIcon.Normal, QIcon.On)
    return made


def _pixmap(name: str, color: str, size: int = 20, ratio: int = 2) -> QPixmap:
    body = PATHS[name].replace("<path F", f'<path fill="{color}" stroke="none"')
    body = body.replace("<circle F", f'<circle fill="{color}" stroke="none"')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none" stroke="{color}" '
        f'stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">{body}</g></svg>'
    )
    pixmap = QPixmap(QSize(size * ratio, size * ratio))
    pixmap.fill(Qt.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
