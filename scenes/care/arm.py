"""Where robots and controllers used to be; see :mod:`scenes.care.robots`."""

from scenes.care.robots import ROBOTS, find_robot
from scenes.care.robots.controllers import CONTROLLERS, Controller, find_controller
from scenes.care.robots.robot import Mount, Robot

__all__ = ["CONTROLLERS", "ROBOTS", "Controller", "Mount", "Robot", "find_controller", "find_robot"]
