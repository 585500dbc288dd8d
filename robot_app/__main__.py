"""``python -m robot_app`` is ``robot-app``."""

from robot_app.cli import main

raise SystemExit(main())
