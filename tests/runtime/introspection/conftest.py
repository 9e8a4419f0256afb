"""The programs and folders of the tests of whole programs, for those that stand with the module they are about."""

from tests.integration.conftest import folder, node

__all__ = ["folder", "node"]
