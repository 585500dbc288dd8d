"""``robot-app VERB``: finds the verb, reads its options, runs it, and turns every mistake into one line.

Exit codes: 0 done · 1 failed (a replay that differs, a training that met NaN, an unexpected error) · 2 bad input
(nothing was written) · 130 interrupted.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import io
import os
import re
import shutil
import sys
import textwrap
import traceback
from collections.abc import Sequence

from dynamite.errors import TrainingError
from robot_app.commands import VERBS, find_verb
from robot_app.commands.base import Verb
from robot_app.files import OutputError
from scenes.errors import InputError

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    if arguments[:1] == ["--debug"]:
        arguments = [*arguments[1:], "--debug"]
    try:
        if not arguments or arguments[0] in ("-h", "--help", "help"):
            print(_overview())
            return OK
        if arguments[0] == "--version":
            from robot_app.version import code_version

            version = code_version()
            print(" ".join(str(part) for part in version.values() if part))
            return OK
        verb = arguments[0]
        return _read(verb, arguments[1:]).run()
    except InputError as error:
        return _fail(arguments, str(error), BAD_INPUT, debug)
    except (TrainingError, OutputError) as error:
        return _fail(arguments, str(error), FAILED, debug)
    except KeyboardInterrupt:
        return _fail(arguments, "interrupted", INTERRUPTED, False)
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except _Exit as end:
        return end.code
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return _fail(arguments, text if debug else f"{text} (run with --debug to see where)", FAILED, debug)


class _Exit(Exception):
    """The option parser is done (its help page was printed)."""

    def __init__(self, code: int) -> None:
        self.code = code


def _fail(arguments: list[str], text: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    verb = f" {arguments[0]}" if arguments and arguments[0] in VERBS else ""
    print(f"robot-app{verb}: {' '.join(text.split())}", file=sys.stderr, flush=True)
    return code


def _overview() -> str:
    lines = [
        "usage: robot-app VERB [OPTIONS]",
        "",
        "Care robots that adapt to a hidden, changing preference.",
        "",
    ]
    lines += [f"  {name:10s} {_summary(find_verb(name))}" for name in VERBS]
    lines += ["", "robot-app VERB --help shows a verb's options and examples."]
    return "\n".join(lines)


def _summary(command: type[Verb]) -> str:
    return (command.__doc__ or "").strip().splitlines()[0]


def _read(name: str, arguments: list[str]) -> Verb:
    """The verb with its options filled in.

    Raises:
        InputError: an unknown verb or option, or a value of a wrong type.
    """
    if name not in VERBS:
        close = difflib.get_close_matches(name, VERBS, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InputError("verb", name, "one of " + ", ".join(VERBS) + hint)
    import tyro

    command = find_verb(name)
    prog = f"robot-app {name}"
    width = min(100, shutil.get_terminal_size().columns)
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    page = "\n\n".join(textwrap.fill(" ".join(paragraph.split()), width) for paragraph in paragraphs)
    if command.examples:
        page += "\n\nexamples:\n" + "\n".join(f"  {example}" for example in command.examples)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(command, prog=prog, description=page, args=arguments)
    except SystemExit as end:
        if end.code in (None, OK):
            raise _Exit(OK) from None
        raise _input_error(said.getvalue()) from None


def _input_error(box: str) -> InputError:
    """What the option parser says in a framed box, as one line."""
    rows = [line.strip("│ ") for line in re.sub(r"\x1b\[[0-9;]*m", "", box).splitlines()]
    rows = [row for row in rows if row and row[0] not in "╭╰"]
    if len(rows) > 1 and set(rows[1]) == {
        "-"
    }:  # where the terminal has ASCII only, the title is a row above a rule
        rows = rows[2:]
    rule = next((i for i, row in enumerate(rows) if set(row) <= {"─", "-"}), len(rows))
    text = " ".join(rows[:rule])
    if found := re.match(r"Unrecognized options: (.*)", text):
        after = rows.index("Perhaps you meant:") + 1 if "Perhaps you meant:" in rows else None
        hint = f"the options of --help (perhaps {rows[after]})" if after else "the options of --help"
        return InputError("option", found[1], hint)
    if found := re.match(r"Error parsing (\S+): invalid literal for int\(\) with base 10: '(.*)'", text):
        return InputError(found[1], found[2], "a whole number")
    if found := re.match(r"Error parsing (\S+): could not convert string to float: '(.*)'", text):
        return InputError(found[1], found[2], "a number")
    if found := re.match(r"invalid choice '(.*)' for argument '(\S+)'\. Expected one of \((.*)\)", text):
        return InputError(found[2], found[1], "one of " + found[3].replace("'", "").rstrip(","))
    if found := re.match(r"Missing value for argument '(\S+)'", text):
        return InputError(found[1], "nothing", "a value")
    if found := re.match(r"Missing from .*?: (\S+)", text):
        return InputError(found[1], "nothing", "a value")
    return InputError("options", text or "something unreadable", "what --help shows")
