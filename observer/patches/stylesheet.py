"""Styles whose sources are parsed once for each theme.

Textual's own stylesheet forgets what it has parsed. Whenever a view is opened for the first time it parses all sources
again, twice, which takes longer than all else that the view has to do.
"""

from __future__ import annotations

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

_parsed: LRUCache[tuple[object, ...], list[RuleSet]] = LRUCache(1024)
"""The rules of each source, by the variables of the theme and all else that they depend on."""


class KeptStylesheet(Stylesheet):
    """Textual's stylesheet, which keeps the rules of each source: for every theme, and for the next dashboard too."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._theme = frozenset(self._variables.items())
        self._require_parse = True

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take over the variables of a theme."""
        if variables != self._variables:
            super().set_variables(variables)
            self._theme = frozenset(variables.items())
            self._require_parse = True

    def reparse(self) -> None:
        """Work out the rules, if a source or a variable is new. They stay as they are if a source is wrong."""
        if self._require_parse:
            self.parse()

    def _parse_rules(
        self,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        key = (self._theme, css, read_from, is_default_rules, tie_breaker, scope)
        rules = _parsed.get(key)
        if rules is None:
            rules = _parsed[key] = super()._parse_rules(css, read_from, is_default_rules, tie_breaker, scope)
        return rules
