"""What the tests of the commands share: a folder for sockets, no settings of the user, and the command itself."""

from tests.support.command import no_settings, observer
from tests.support.fake_endpoint import socket_folder

__all__ = ["no_settings", "observer", "socket_folder"]
