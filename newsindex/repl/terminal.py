"""The prompt on a terminal: editing, history and completion."""

from __future__ import annotations

import sys
from pathlib import Path

from prompt_toolkit import PromptSession

from newsindex.display import Screen, counted, one_line
from newsindex.index import NewsIndex
from newsindex.repl.completion import ArchiveCompleter, open_history
from newsindex.repl.prompt import COMMANDS, SORTS, Prompt

__all__ = ["run_on_terminal"]

_PROMPT = "newsindex> "


def run_on_terminal(index: NewsIndex) -> None:
    """Ask and answer until Ctrl-D or `:quit`; Ctrl-C drops the line, or the search under way."""
    screen = Screen(sys.stdout)
    prompt = Prompt(index, screen, len(_PROMPT))
    history = open_history(lambda trouble: screen.say(one_line(trouble), "yellow"))
    name = one_line(Path(index.stats().location).name)
    screen.say(f"{counted(index.count(), 'article')} in {name}; :help lists the commands")
    session: PromptSession[str] = PromptSession(
        _PROMPT, history=history, completer=ArchiveCompleter(index, COMMANDS, SORTS), complete_while_typing=False
    )
    while True:
        try:
            line = session.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            if not prompt.answer(line):
                return
        except KeyboardInterrupt:
            screen.say("stopped", "yellow")
