"""A server that never forgets: its memory grows until it is killed.

Alone, ``python -m demos.leak`` asks a cache for new things again and again and prints how large it has become. In the
observer two caches are asked for something new, ``cache`` twenty times a second and ``bounded_cache`` half as often:

- Sort by memory (``s``): ``cache`` grows without end. Press ``enter`` on it: its state shows what it keeps.
- ``bounded_cache`` leaks too, but has said ``flag(max_heap_size=...)``: when it outgrows that it is killed, and its
  supervisor starts it again, empty.
- What cures it: ``x`` frees the memory for now; a bound on what is kept cures it for good.
"""

from __future__ import annotations

from demos._stage import figure, named, play
from runtime import ChildSpec, GenServer, Pid, Supervisor, call, flag, sleep, spawn_link

PAGE = 20_000
"""The size of each answer, in bytes, which the cache keeps."""

BOUND = 5_000_000


class Cache(GenServer):
    """Keeps every answer it has ever sent."""

    def init(self, max_heap_size: int | None = None) -> None:
        """Begin empty; with a bound, as large as this may become, in bytes."""
        self.pages: dict[int, bytes] = {}
        if max_heap_size is not None:
            flag(max_heap_size=max_heap_size)

    def handle_call(self, request: int, caller: object) -> int:
        """Return the size of page number `request`; the first request for it makes the page."""
        if request not in self.pages:
            self.pages[request] = bytes(PAGE)
        return len(self.pages[request])


def reader(caches: list[str]) -> None:
    """Ask the first cache for one new page after the other, the second for every second one, and so on."""
    number = 0
    while True:
        sleep(0.05)
        number += 1
        for every, cache in enumerate(caches, 1):
            if number % every == 0:
                call(cache, number)


def start_reader(caches: list[str]) -> Pid:
    """Start the reader."""
    return spawn_link(reader, caches, label="reader")


def tree() -> Pid | None:
    """Start a cache that grows without end, one with a bound, and their reader."""
    return Supervisor.start_link(
        [
            named(Cache, "cache"),
            named(Cache, "bounded_cache", BOUND),
            ChildSpec(id="reader", start=(start_reader, ["cache", "bounded_cache"])),
        ],
        max_restarts=10,  # when a cache dies, the reader's next call fails, and so does the reader
        name="supervisor",
    )


def session() -> None:
    """Ask a cache for a hundred new pages, three times, and look at its memory in between."""
    pid = Cache.start_link()
    assert pid is not None
    for number in range(301):
        call(pid, number)
        if number % 100 == 0:
            print(f"{number:3} pages read, the cache takes {figure(pid, 'memory') // 1024:5} KB")


if __name__ == "__main__":
    play(session, tree)
