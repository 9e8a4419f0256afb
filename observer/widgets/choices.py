"""A list of options to choose from, with the keys that move everywhere."""

from __future__ import annotations

from textual.binding import Binding
from textual.widgets import OptionList

from observer.widgets.movement import movement


class Choices(OptionList):
    """Options that the letters move in as well as the arrows."""

    BINDINGS = movement(
        "cursor_down", "cursor_up", "half_page(1)", "half_page(-1)", "page_down", "page_up", "first", "last"
    )

    def action_half_page(self, direction: int) -> None:
        """Move the highlight by half of what is in sight."""
        if self.option_count and self.highlighted is not None:
            step = direction * max(1, self.scrollable_content_region.height // 2)
            self.highlighted = max(0, min(self.option_count - 1, self.highlighted + step))


class NumberedChoices(Choices):
    """Options of a dialog, of which the first nine can be chosen by their digit."""

    BINDINGS = [Binding(str(digit), f"choose({digit})", str(digit), show=False) for digit in range(1, 10)]

    def action_choose(self, number: int) -> None:
        """Choose the option with that number."""
        if number <= self.option_count:
            self.highlighted = number - 1
            self.action_select()


def numbered(number: int) -> str:
    """Return what stands before the option with that number, counted from 1."""
    return f"{number} " if number < 10 else "  "
