"""Random lives of plain processes beside a small model of the rules they live by.

`ProcessWorld.step` does one operation to real processes and to the model, lets everything come to rest, and compares
the two: who lives, who is linked with and watches whom, what waits in every mailbox and in which order, which names
and timers there are. It must be called in a process.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime import (
    ANY,
    Down,
    Exit,
    Pid,
    Ref,
    TimerRef,
    alive,
    cancel_timer,
    demonitor,
    exit,
    flag,
    link,
    monitor,
    process_info,
    processes,
    receive,
    register,
    registered,
    resume,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    suspend,
    unlink,
    unregister,
    whereis,
)
from runtime.kernel.clock import now
from runtime.kernel.node import running_node

REASONS = ("normal", "shutdown", "boom", "kill", ("shutdown", "x"))
NAMES = ("red", "green", "blue")
COMPARED = ("links", "trap_exit", "status", "registered_name", "monitors", "monitored_by", "messages")
MOST = 12
"""Processes at a time: few enough that they often meet."""


@dataclass(eq=False)
class Life:
    """What the model knows of one process. `mailbox` holds (sender, message), oldest first."""

    pid: Pid
    trap_exit: bool = False
    suspended: bool = False
    name: str | None = None
    links: set["Life"] = field(default_factory=set)
    mailbox: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass
class Timer:
    """A message that is on its way."""

    due: float
    to: Life
    message: Any


class ProcessWorld:
    """Processes that do what random operations tell them, and the model that says what must come of it."""

    OPERATIONS = (
        *("start", "start", "start_linked", "link", "link", "unlink", "watch", "watch", "unwatch", "trap", "trap"),
        *("burst", "burst", "take", "empty", "signal", "signal", "leave", "suspend", "resume", "name", "unname"),
        *("call_by_name", "set_timer", "stop_timer", "pass_time"),
    )

    def __init__(self) -> None:
        self.lives: dict[Pid, Life] = {}
        self.watches: dict[Ref, tuple[Life, Life]] = {}
        self.timers: dict[TimerRef, Timer] = {}
        self.count = 0
        self.strangers = set(processes())

    def step(self, operation: str, choices: Sequence[int]) -> None:
        """Do one operation; `choices` (at least three numbers) say to whom and with what. Then compare."""
        self.count += 1
        if len(self.lives) < 2 or (operation.startswith("start") and len(self.lives) < MOST):
            self.start(choices[0], choices[1], linked=operation == "start_linked")
        elif not operation.startswith("start"):
            getattr(self, operation)(*choices[:3])
        self.come_to_rest()
        self.compare()

    # --- operations: each does a thing and tells the model ----------------------------------------------------------

    def start(self, parent: int, trap: int, linked: bool = False) -> None:
        """A new process, alone or linked with one that is there."""
        pid = spawn(obey)
        life = self.lives[pid] = Life(pid)
        if trap % 2:
            self.do(life, lambda: flag(trap_exit=True))
            life.trap_exit = True
        other = self.awake(parent)
        if linked and other is not None and other is not life:
            self.do(other, lambda: link(pid))
            life.links.add(other)
            other.links.add(life)

    def link(self, one: int, two: int, _: int) -> None:
        """Link two processes, which may be linked already."""
        left, right = self.awake(one), self.any(two)
        if left is not None and left is not right:
            self.do(left, lambda: link(right.pid))
            left.links.add(right)
            right.links.add(left)

    def unlink(self, one: int, two: int, _: int) -> None:
        """Take a link away, if there is one."""
        left, right = self.awake(one), self.any(two)
        if left is not None:
            self.do(left, lambda: unlink(right.pid))
            left.links.discard(right)
            right.links.discard(left)

    def watch(self, one: int, two: int, _: int) -> None:
        """Let one process monitor another."""
        watcher, target = self.awake(one), self.any(two)
        if watcher is not None and watcher is not target:
            self.watches[self.do(watcher, lambda: monitor(target.pid))] = (watcher, target)

    def unwatch(self, which: int, _: int, __: int) -> None:
        """Take one monitor away."""
        refs = [ref for ref, (watcher, _) in self.watches.items() if not watcher.suspended]
        if refs:
            ref = refs[which % len(refs)]
            watcher, _target = self.watches.pop(ref)
            assert self.do(watcher, lambda: demonitor(ref, info=True)), "a monitor that is there was not found"

    def trap(self, one: int, value: int, _: int) -> None:
        """Set a process's trap_exit flag."""
        life = self.awake(one)
        if life is not None:
            before = self.do(life, lambda: flag(trap_exit=bool(value % 2)))
            assert before == life.trap_exit
            life.trap_exit = bool(value % 2)

    def burst(self, one: int, two: int, three: int) -> None:
        """Let one process send numbered messages to two others in turn, all in one go."""
        sender, targets = self.awake(one), [self.any(two), self.any(three)]
        if sender is None:
            return
        letters = [(life, (self.count, number)) for number in range(3) for life in targets]
        self.do(sender, lambda: [send(life.pid, ("letter", sender.pid, letter)) for life, letter in letters])
        for life, letter in letters:
            life.mailbox.append((sender.pid, ("letter", sender.pid, letter)))

    def take(self, one: int, two: int, _: int) -> None:
        """Let a process take the oldest message of one sender out of the middle of its mailbox."""
        life, sender = self.awake(one), self.any(two)
        if life is None:
            return
        taken = self.do(life, lambda: receive(("letter", sender.pid, ANY), timeout=0, default=None))
        mine = [entry for entry in life.mailbox if type(entry[1]) is tuple and entry[1][:2] == ("letter", sender.pid)]
        assert taken == (mine[0][1] if mine else None), "a selective receive did not give the oldest that matches"
        if mine:
            life.mailbox.remove(mine[0])

    def empty(self, one: int, _: int, __: int) -> None:
        """Let a process take all its messages, one by one, in order."""
        life = self.awake(one)
        if life is not None:
            taken = self.do(life, lambda: [receive(is_letter, timeout=0, default=None) for _ in life.mailbox])
            assert_same_order(taken, life.mailbox)
            life.mailbox.clear()

    def signal(self, one: int, two: int, reason: int) -> None:
        """Let one process send another, or itself, an exit signal."""
        sender, target, why = self.awake(one), self.any(two), REASONS[reason % len(REASONS)]
        if sender is not None:
            self.do(sender, lambda: exit(target.pid, why))
            self.signalled(target, sender.pid, why)

    def leave(self, one: int, reason: int, _: int) -> None:
        """Let a process exit by itself."""
        life, why = self.awake(one), REASONS[reason % len(REASONS)]
        if life is not None:
            self.do(life, lambda: exit(why))
            self.dies(life, why)

    def suspend(self, one: int, _: int, __: int) -> None:
        """Hold a process."""
        life = self.awake(one)
        if life is not None:
            suspend(life.pid)
            life.suspended = True

    def resume(self, one: int, _: int, __: int) -> None:
        """Let a held process go on."""
        held = [life for life in self.lives.values() if life.suspended]
        if held:
            life = held[one % len(held)]
            resume(life.pid)
            life.suspended = False

    def name(self, one: int, which: int, _: int) -> None:
        """Register a process under a free name."""
        life, name = self.any(one), NAMES[which % len(NAMES)]
        if life.name is None and self.holder(name) is None:
            register(name, life.pid)
            life.name = name

    def unname(self, which: int, _: int, __: int) -> None:
        """Take a name away from who holds it."""
        name = NAMES[which % len(NAMES)]
        life = self.holder(name)
        if life is not None:
            unregister(name)
            life.name = None

    def call_by_name(self, which: int, _: int, __: int) -> None:
        """Send to a name."""
        name = NAMES[which % len(NAMES)]
        life = self.holder(name)
        if life is not None:
            message = ("letter", self_(), (self.count, 0))
            send(name, message)
            life.mailbox.append((self_(), message))

    def set_timer(self, one: int, hundredths: int, _: int) -> None:
        """Send a process a message later."""
        life, seconds = self.any(one), (1 + hundredths % 50) / 100
        message = ("letter", "timer", (self.count, 0))
        self.timers[send_after(life.pid, message, seconds)] = Timer(now() + seconds, life, message)

    def stop_timer(self, which: int, _: int, __: int) -> None:
        """Cancel a timer that is pending."""
        if self.timers:
            ref = [*self.timers][which % len(self.timers)]
            left = cancel_timer(ref)
            assert left is not None, "a pending timer was not found"
            assert abs(self.timers.pop(ref).due - now() - left) < 1e-6

    def pass_time(self, hundredths: int, _: int, __: int) -> None:
        """Let up to half a second pass."""
        sleep((hundredths % 50) / 100)

    # --- the rules ---------------------------------------------------------------------------------------------------

    def signalled(self, target: Life, sender: Pid, reason: Any, linked: bool = False) -> None:
        """What an exit signal does."""
        if target.pid not in self.lives:
            return
        if reason == "kill" and not linked:
            self.dies(target, "killed")
        elif target.trap_exit:
            target.mailbox.append((sender, Exit(sender, reason)))
        elif reason != "normal" or (sender == target.pid and not linked):
            self.dies(target, reason)

    def dies(self, life: Life, reason: Any) -> None:
        """What a death does: it frees the name, stops timers, tells who is linked and who watches."""
        del self.lives[life.pid]
        self.timers = {ref: timer for ref, timer in self.timers.items() if timer.to is not life}
        for ref, (watcher, target) in [*self.watches.items()]:
            if watcher is life or target is life:
                del self.watches[ref]
            if target is life and watcher is not life:
                watcher.mailbox.append((life.pid, Down(ref, life.pid, reason)))
        for other in life.links:
            other.links.discard(life)
        for other in life.links:
            self.signalled(other, life.pid, reason, linked=True)

    def come_to_rest(self) -> None:
        """Let all that was caused happen; in the model, deliver the timers that are due by then."""
        sleep(0.001)
        for ref, timer in sorted(self.timers.items(), key=lambda item: item[1].due):
            if timer.due <= now():
                del self.timers[ref]
                timer.to.mailbox.append(("timer", timer.message))

    # --- comparing ---------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """Compare the processes with the model."""
        assert set(processes()) - self.strangers == set(self.lives)
        for pid, life in self.lives.items():
            info = process_info(pid, *COMPARED)
            assert info is not None
            assert sorted(info["links"]) == sorted(other.pid for other in life.links)
            assert info["trap_exit"] == life.trap_exit
            assert (info["status"] == "suspended") == life.suspended
            assert info["registered_name"] == life.name
            watched = [target.pid for watcher, target in self.watches.values() if watcher is life]
            assert sorted(info["monitors"]) == sorted(watched)
            watchers = [watcher.pid for watcher, target in self.watches.values() if target is life]
            assert sorted(info["monitored_by"]) == sorted(watchers)
            assert_same_order(info["messages"], life.mailbox)
        named = {life.name for life in self.lives.values() if life.name is not None}
        assert {name for name in registered() if name in NAMES} == named
        assert all(whereis(life.name) == life.pid for life in self.lives.values() if life.name is not None)
        node = running_node()
        assert node is not None
        pending = [timer for timer in node.timers.pending.values() if isinstance(timer.dest, Pid) and alive(timer.dest)]
        assert len(pending) == len(self.timers), "a timer was lost or leaked"

    def end(self) -> None:
        """Kill all and see that nothing is left of them."""
        for pid in self.lives:
            exit(pid, "kill")
        sleep(0.6)
        assert set(processes()) == self.strangers
        assert not {name for name in registered() if name in NAMES}
        me = process_info(self_(), "links", "monitors", "message_queue_len")
        assert me is not None
        assert not any(me.values()), me
        node = running_node()
        assert node is not None
        assert not node.timers.pending
        assert not node.aliases
        assert not node.scheduler.remains

    # --- choosing and telling ----------------------------------------------------------------------------------------

    def any(self, choice: int) -> Life:
        """Some process."""
        lives = [*self.lives.values()]
        return lives[choice % len(lives)]

    def awake(self, choice: int) -> Life | None:
        """Some process that is not suspended."""
        lives = [life for life in self.lives.values() if not life.suspended]
        return lives[choice % len(lives)] if lives else None

    def holder(self, name: str) -> Life | None:
        """Who is registered under a name."""
        return next((life for life in self.lives.values() if life.name == name), None)

    def do(self, life: Life, function: Callable[[], Any]) -> Any:
        """Have a process run a function; what it returned there, None when it did not survive it."""
        me, ref = self_(), monitor(life.pid)
        send(life.pid, lambda: send(me, ("did", ref, function())))
        answer = receive(("did", ref, ANY), Down(ref, ANY, ANY))
        demonitor(ref, flush=True)
        return None if isinstance(answer, Down) else answer[2]


def obey() -> None:
    """Run each function that arrives; letters, EXIT and DOWN stay in the mailbox until a function takes them."""
    while True:
        receive(callable)()


def is_letter(message: Any) -> bool:
    """Whether a message is one of the model's, and not something to run."""
    return not callable(message)


def assert_same_order(messages: Sequence[Any], expected: Sequence[tuple[Any, Any]]) -> None:
    """The messages are those expected, and those of each sender in the order they were sent.

    A death's EXIT and DOWN come after the letters, in either order.
    """
    ours: defaultdict[Any, list[Any]] = defaultdict(list)
    theirs: defaultdict[Any, list[Any]] = defaultdict(list)
    for message in messages:
        sender = message.pid if isinstance(message, (Exit, Down)) else message[1]
        ours[sender].append(message)
    for sender, message in expected:
        theirs[sender].append(message)
    assert ours.keys() == theirs.keys()
    for sender, sent in theirs.items():
        arrived = ours[sender]
        letters = [message for message in sent if not isinstance(message, (Exit, Down))]
        assert [message for message in arrived if not isinstance(message, (Exit, Down))] == letters
        assert sorted(map(repr, arrived)) == sorted(map(repr, sent))
