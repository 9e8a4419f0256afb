"""What `process_info` says."""

from typing import Any

from runtime import NOREPLY, GenServer, call, monitor, process_info, receive, self_, sleep, spawn
from tests.support.in_node import in_node


class Silent(GenServer):
    """Never answers."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        return NOREPLY


@in_node
def test_a_monitor_set_by_name_is_shown_by_its_name_and_one_by_pid_by_its_pid() -> None:
    named, other = spawn(receive, name="named"), spawn(receive)
    monitor("named")
    monitor(other)
    assert process_info(self_(), "monitors") == {"monitors": ["named", other]}
    assert process_info(named, "monitored_by") == {"monitored_by": [self_()]}


@in_node
def test_a_caller_that_waits_for_a_reply_monitors_its_server() -> None:
    server = Silent.start()
    assert server is not None
    caller = spawn(call, server, "anything", timeout=None)
    sleep(0.01)
    assert process_info(caller, "monitors") == {"monitors": [server]}
    assert process_info(server, "monitored_by") == {"monitored_by": [caller]}
