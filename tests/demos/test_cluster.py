from demos.cluster import survey
from runtime import alive, await_exit, exit, receive, spawn
from tests.support.in_node import in_node


@in_node
def test_a_survey_whose_station_is_lost_ends_so_that_it_does_not_run_twice() -> None:
    station = spawn(receive, str)  # a cast is no str, so it waits
    running = spawn(survey, "coast", station, 41)
    assert alive(running)
    exit(station, "kill")
    assert await_exit(running) == "normal"
