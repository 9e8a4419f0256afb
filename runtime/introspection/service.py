"""Serving: switches introspection on for the node of this program."""

from __future__ import annotations

import atexit
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import gevent
import msgspec
from greenlet import greenlet

from runtime.compiled.about import kernel_in_use
from runtime.introspection import wire
from runtime.introspection.address import NameTakenError, Reservation, check_name, reserve, socket_dir
from runtime.introspection.answers.answers import Answers
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode, Permissions
from runtime.introspection.black_box.black_box import BlackBox
from runtime.introspection.black_box.settings import BlackBoxSettings
from runtime.introspection.endpoint.listener import Endpoint
from runtime.introspection.endpoint.session import ClientDroppedError, Session
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.greenlets import Greenlets
from runtime.introspection.last_words import LastWords
from runtime.introspection.program import Program, name_after, names_for
from runtime.introspection.recording.kept_boxes import VARIABLE
from runtime.introspection.worker import worker_name
from runtime.kernel.instrument import install_instrument, remove_instrument
from runtime.kernel.node import Node, this_node
from runtime.preemption.watchdog import LIMIT, Watchdog
from runtime.terms.log import Log
from runtime.terms.text import render

logger = Log("runtime.introspection")


class Service:
    """Introspection of one node: its event log, its greenlets, its watchdog, its endpoint. `close` ends all of it.

    Without a `reservation` there is no place where observers could connect. Without `black_box`, which says when black
    boxes are written and where to, nothing is switched on then. With `keep_events`, the last events stay in a file when
    the process has died.
    """

    def __init__(
        self,
        node: Node,
        reservation: Reservation | None,
        permissions: Permissions = Permissions(),  # noqa: B008  # immutable
        stall_limit: float = LIMIT,
        program: Program | None = None,
        keep_events: bool = False,
        black_box: BlackBoxSettings | None = None,
    ) -> None:
        self.node = node
        self.permissions = permissions
        self.program = Program("" if reservation is None else reservation.name) if program is None else program
        fallback = "" if black_box is None else self.program.name
        self.name = fallback if reservation is None else reservation.name
        self.path = None if reservation is None else reservation.path
        self.log = EventLog(node, state=permissions.state, exception_texts=permissions.exception_texts)
        self.greenlets = Greenlets(node, self.log)
        self.watchdog = Watchdog(
            node, stall_limit, self.log.add_stall, self._now_and_then, other_greenlet=self.greenlets.running
        )
        self.answers = Answers(ObservedNode(node, self.name, self.log, self.watchdog, self.greenlets, permissions))
        self._caches: dict[Session, ClientCache] = {}
        self._welcome = self._make_welcome()
        self._is_every_other = False
        """Whether this is every other call of the watchdog, which calls twice a second."""
        self.endpoint = None if reservation is None else Endpoint(reservation, self._serve, self._warn)
        self.last_words: LastWords | None = None
        self.black_box: BlackBox | None = None
        _services[node] = self
        self.is_on = self.endpoint is not None or black_box is not None
        if not self.is_on:
            return
        install_instrument(self.log)
        self.log.spawns.switch_on()
        self.greenlets.switch_on()
        self.watchdog.start()
        if black_box is not None:
            self.keep_black_box(black_box)
        if self.endpoint is not None:
            self.endpoint.start()
        if keep_events and self.endpoint is not None:
            self.last_words = LastWords(self.log, self.watchdog, self._greeting, self._warn)
            self.last_words.start()
        atexit.register(self._close_at_exit)
        node.closing.append(self.close)

    def keep_black_box(self, settings: BlackBoxSettings) -> None:
        """Write black boxes from now on, and as these settings say."""
        if self.black_box is not None:
            self.black_box.close()
        self.black_box = BlackBox(settings, self.answers, self.log, self.watchdog, self._greeting, self._warn)
        self.black_box.start()

    def close(self) -> None:
        """Switch introspection off and remove the socket. In the node's thread; may be called twice."""
        if self.black_box is not None:
            self.black_box.close()
        if self.last_words is not None:
            self.last_words.close()
        if self.endpoint is not None:
            self.endpoint.close()
        if self.is_on:
            remove_instrument(self.log)
            self.log.spawns.switch_off()
            self.greenlets.switch_off()
        self.watchdog.close()
        self.answers.close()
        atexit.unregister(self._close_at_exit)
        if _services.get(self.node) is self:
            del _services[self.node]

    def leave_behind(self) -> None:
        """Drop what the child of a fork has inherited, where no thread of the service runs."""
        if self.endpoint is not None:
            self.endpoint.leave_behind()
        if self.last_words is not None:
            self.last_words.leave_behind()
        if self.black_box is not None:
            self.black_box.close()
        if self.is_on:
            remove_instrument(self.log)
            self.log.spawns.switch_off()
            self.greenlets.switch_off()
        self.answers.node.leave_behind()
        atexit.unregister(self._close_at_exit)

    def _close_at_exit(self) -> None:
        with suppress(ValueError):  # the program may have destroyed its hub, and the loop with it
            if self.black_box is not None:
                self.black_box.at_exit()
            self.close()

    def _now_and_then(self) -> None:
        if self.last_words is not None:
            self.last_words.wake()
        if self.black_box is not None:
            self.black_box.look()
        self._is_every_other = not self._is_every_other
        if not self._is_every_other:
            return
        if self.log.is_due:
            self.node.call_soon_threadsafe(self.log.tick)
        self.answers.node.findings.weigh_program()
        self.answers.forget([*self._caches.values()])

    def _warn(self, text: str) -> None:
        # From the hub: a handler of the program's may wait for something of gevent's.
        self.node.call_soon_threadsafe(logger.warning, "%s", text)

    def _serve(self, session: Session) -> None:
        """Talk with one observer until it hangs up. On a thread of its own."""
        hello = session.read_hello()
        if hello.protocol != wire.PROTOCOL:
            why = (
                f"This node speaks version {wire.PROTOCOL} of the protocol and the observer version {hello.protocol}; "
                f"use the same version of process-observer on both sides."
            )
            session.send(wire.Refused(why=why))
            raise ClientDroppedError(f"it speaks version {hello.protocol} of the protocol")
        session.send(self._greeting())
        cache = self._caches[session] = ClientCache()
        try:
            while True:
                request = session.read_request()
                session.send(wire.Reply(id=request.id, answer=self.answers.answer(request.query, cache)))
        finally:
            del self._caches[session]
            self.answers.dismiss(cache)

    def _greeting(self) -> wire.Welcome:
        """Add what may have changed since."""
        in_use = greenlet.__bool__(self.node.hub)
        cluster = self.node.cluster
        return msgspec.structs.replace(
            self._welcome,
            parent_pid=os.getppid(),
            uses_gevent=in_use,
            distributed_as="" if cluster is None else cluster.name,
        )

    def _make_welcome(self) -> wire.Welcome:
        """Say what does not change. Done once: the version is looked for in files, and read by modules loaded then."""
        return wire.Welcome(
            protocol=wire.PROTOCOL,
            node=self.name,
            os_pid=os.getpid(),
            started_at=self.node.started_at,
            runtime_version=_version(),
            python_version=platform.python_version(),
            gevent_version=gevent.__version__,
            command=" ".join(sys.argv)[:1_000],
            read_only=self.permissions.read_only,
            program=self.program.name,
            run=self.program.run,
            kernel=kernel_in_use()[0],
        )


_services: dict[Node, Service] = {}


def _leave_behind() -> None:
    services = [*_services.values()]
    _services.clear()
    for service in services:
        try:
            service.leave_behind()
        except Exception as error:  # an exception here would only be printed, with a traceback
            logger.warning("A fork keeps something of its parent's observation: %s", error)


os.register_at_fork(after_in_child=_leave_behind)


def serve(
    name: str | None = None,
    read_only: bool = False,
    state: bool = True,
    stall_limit: float = LIMIT,
    exception_texts: bool = True,
    black_box: str | os.PathLike[str] | None = None,
) -> Service:
    """Let observers look at this program's node, and return the service. A node that does not run yet is started.

    Starting a node makes gevent's hub. A program that sets a loop or a hub of its own in `gevent.config` does that
    first. This does not concern programs that ``observer instrument`` starts, or that run with ``OBSERVER=1``: they are
    observed once their hub runs.

    `name` is the name of the node: 1 to 40 letters, digits, ``_``, ``.`` or ``-``. By default it is the program's. When
    another node has that name, this one is called ``NAME-PID``, and a warning is logged. With `read_only`, observers
    can change nothing. Without `state`, they do not see what processes hold: states, dictionaries, and messages, also
    those of timers. Without `exception_texts`, events show the classes of exceptions in place of their texts, and of
    exit reasons only those that OTP itself gives. A process that holds the hub for more than `stall_limit` seconds is
    reported.

    `black_box` is a file or a folder: a black box is written there when the program fails, when a tree gives up, and
    when the hub is held for ten seconds. It shows what observers are shown. By default OBSERVER_BLACK_BOX decides.

    Returns the service, which ends with the node. Called again for the same node, it returns the one that runs. No
    program fails because it is observed: when there is no safe place for a socket, a warning is logged, and the `path`
    of the service is None.

    In the main thread it takes SIGURG, to interrupt a process that holds the hub. While an observer is there it takes
    SIGPROF with its timer too, to sample who uses the processor, unless the program uses them itself.

    Raises TypeError or ValueError for a name or a limit that is not allowed, also when the node is served already.
    """
    if name is not None:
        check_name(name)
    if isinstance(stall_limit, bool) or not isinstance(stall_limit, (int, float)):
        raise TypeError(f"stall_limit is a positive number of seconds, not {render(stall_limit)}")
    if not stall_limit > 0:
        raise ValueError(f"stall_limit is a positive number of seconds, not {render(stall_limit)}")
    node = this_node()
    running = _services.get(node)
    if running is not None:
        return running
    program = Program(name or _default_name())
    permissions = Permissions(read_only, state, exception_texts)
    if black_box is not None:
        boxes: BlackBoxSettings | None = BlackBoxSettings(os.fspath(black_box))
    else:
        boxes = BlackBoxSettings.from_environment(os.environ) if VARIABLE in os.environ else None
    return _serve(node, names_for(program.name), program, permissions, stall_limit, boxes, told=name is not None)


def serve_from_environment(node: Node) -> bool:
    """Switch introspection on as OBSERVER=1 and its companions in the environment ask for; never raises.

    OBSERVER_NAME names the node; OBSERVER_READ_ONLY=1, OBSERVER_NO_STATE=1 and OBSERVER_NO_EXCEPTION_TEXTS=1 set the
    options of `serve`. OBSERVER_BLACK_BOX=0 switches black boxes off, or says into which file or folder they go. In a
    program that ``observer instrument`` has started, the node is called after the program and
    the worker that this process is.

    Returns whether observers can connect. What keeps them from it is logged as a warning.
    """
    environment = os.environ
    try:
        if node in _services:
            return _services[node].endpoint is not None
        wanted = environment.get("OBSERVER_NAME")
        if wanted:
            check_name(wanted)
        program = Program.from_environment()
        if program is None:
            program = Program(wanted or _default_name())
            names = names_for(program.name)
        else:
            main = node.hub.parent
            names = program.names(worker_name((sys._getframe(), None if main is None else main.gr_frame)))
        boxes = BlackBoxSettings.from_environment(environment)
        return _serve(node, names, program, _permissions(environment), LIMIT, boxes).endpoint is not None
    except Exception as error:
        logger.warning("The node cannot be observed: %s", error)
        return False


def _serve(
    node: Node,
    names: Iterator[str],
    program: Program,
    permissions: Permissions,
    stall_limit: float,
    black_box: BlackBoxSettings | None,
    told: bool = False,
) -> Service:
    """Take a name and start the service; without a name, a service that nothing can connect to."""
    reservation: Reservation | None = None
    try:
        reservation = reserve(names)
        for reason in reservation.passed_over if told else ():
            logger.warning("%s This node is called %s.", reason, reservation.name)
    except (NameTakenError, ValueError, OSError) as error:
        logger.warning("The node cannot be observed: %s", _advice(error))
    return Service(node, reservation, permissions, stall_limit, program, keep_events=True, black_box=black_box)


def _advice(error: Exception) -> str:
    """Return why there is no place for a socket, and what to do; some errors say so themselves."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return (
        f"no socket can be made in {socket_dir()} ({error.strerror}). "
        f"Set OBSERVER_DIR to a folder of your own that can be written."
    )


def keep_black_box(node: Node, path: str) -> None:
    """Write black boxes of a node to that file or folder: what `run` does with its option. No one can connect for it.

    Raises ValueError when the environment says something wrong of black boxes.
    """
    asked = BlackBoxSettings.from_environment({**os.environ, VARIABLE: path})
    running = _services.get(node)
    if running is None:
        Service(node, None, _permissions(os.environ), program=Program(_default_name()), black_box=asked)
    elif asked is not None and running.is_on:
        running.keep_black_box(asked)


def fail_with(error: BaseException) -> None:
    """Write black boxes for an exception that ends the program, where a node still runs."""
    for service in [*_services.values()]:
        if service.black_box is not None:
            service.black_box.fail_with(error)


def _permissions(environment: Mapping[str, str]) -> Permissions:
    return Permissions(
        environment.get("OBSERVER_READ_ONLY") == "1",
        environment.get("OBSERVER_NO_STATE") != "1",
        environment.get("OBSERVER_NO_EXCEPTION_TEXTS") != "1",
    )


def _default_name() -> str:
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    return name_after(sys.argv[0] if spec is None else spec.name)


def _version() -> str:
    try:
        return version("process-observer")
    except PackageNotFoundError:
        return "0.1.0"
