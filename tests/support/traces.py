"""Events of a trace for tests, hostile ones among them, and a node that has noted them."""

from __future__ import annotations

from runtime.introspection import wire

CLIENT = wire.Related(pid="<0.4.0>", name="client")
BANK = wire.Related(pid="<0.3.0>", name="bank")
POOL = wire.Related(pid="<0.2.0>", name="pool")
NEW_BANK = wire.Related(pid="<0.9.0>", name="bank")
AT = wire.Frame(file="/srv/shop/orders.py", line=31, function="order", source="call(bank, ('get', 17))")

HOSTILE = "</text><script>alert('x')</script>\x1b[2J; end %% \n--> \"'&#59;"

EVENTS: tuple[wire.TraceEvent, ...] = (
    wire.TraceEvent(id=1, time=1.25, kind="call", source=CLIENT, target=BANK, what="('get', 17)", request="get", at=AT),
    wire.TraceEvent(id=2, time=1.2501, kind="received", target=BANK, request="get", of=1, seconds=0.0001),
    wire.TraceEvent(
        id=3, time=1.251, kind="reply", source=BANK, target=CLIENT, what="'ok'", request="get", of=1, seconds=0.001
    ),
    wire.TraceEvent(id=4, time=1.3, kind="cast", source=CLIENT, target=BANK, what=repr(HOSTILE), request="str", at=AT),
    wire.TraceEvent(id=5, time=1.4, kind="message", target=BANK, what="'tick'", request="tick"),
    wire.TraceEvent(id=6, time=1.5, kind="call", source=CLIENT, target=BANK, what="'die'", request="die", at=AT),
    wire.TraceEvent(id=7, time=1.6, kind="exit", source=BANK, what="KeyError: 'x'"),
    wire.TraceEvent(id=8, time=1.6, kind="signal", source=BANK, target=POOL, what="KeyError: 'x' (through a link)"),
    wire.TraceEvent(
        id=9,
        time=1.6,
        kind="failed",
        source=BANK,
        target=CLIENT,
        what="KeyError: 'x'",
        request="die",
        of=6,
        seconds=0.1,
    ),
    wire.TraceEvent(id=10, time=1.7, kind="spawn", source=POOL, target=NEW_BANK),
    wire.TraceEvent(id=11, time=1.7, kind="link", source=POOL, target=NEW_BANK),
    wire.TraceEvent(id=12, time=1.8, kind="call", source=CLIENT, target=NEW_BANK, what="'late'", request="late", at=AT),
    wire.TraceEvent(
        id=13, time=6.8, kind="given_up", source=CLIENT, target=NEW_BANK, request="late", of=12, seconds=5.0
    ),
    wire.TraceEvent(id=14, time=6.9, kind="function", source=CLIENT, what="shop:price(3)", request="shop:price", at=AT),
    wire.TraceEvent(
        id=15, time=7.0, kind="returned", source=CLIENT, what="30", request="shop:price", of=14, seconds=0.1
    ),
)


class TracedNode:
    """Answers the questions of one trace: each reading brings a few events, the last of them the end."""

    def __init__(self, events: tuple[wire.TraceEvent, ...] = EVENTS, a_time: int = 6, ends: bool = True) -> None:
        self.begun: list[wire.StartTrace] = []
        self.stopped = 0
        self.read = 0
        self._events = events
        self._a_time = a_time
        self._ends = ends

    def answer(self, query: wire.Query) -> wire.TraceState | None:
        """Answer, or return None for what is no question of a trace."""
        match query:
            case wire.StartTrace():
                self.begun.append(query)
                self.stopped = 0
                return wire.TraceState(processes=1)
            case wire.ReadTrace(after=after):
                self.read += 1
                return self._state(after)
            case wire.StopTrace(after=after):
                self.stopped += 1
                return self._state(after)
        return None

    def _state(self, after: int) -> wire.TraceState:
        fresh = tuple(event for event in self._events if event.id > after)[: self._a_time]
        left = len(self._events) - after - len(fresh)
        running = not self.stopped and (left > 0 or not self._ends)
        return wire.TraceState(
            events=fresh,
            last=fresh[-1].id if fresh else after,
            noted=len(self._events),
            dropped=7,
            processes=1,
            running=running,
            ending="" if running else "The time of 10 s is over.",
        )
