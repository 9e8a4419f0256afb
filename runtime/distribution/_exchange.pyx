# cython: language_level=3, boundscheck=False, wraparound=False, nonecheck=True
"""The compiled form of what messages to and from another node of this package pass: batches, the socket, calls.

Each function is a step of the sources, in the usual case; every other case is for the function there. A step is
compiled for what it needs of the processor's caches more than for its instructions: a call that comes alone finds
nothing there, as the other node has run meanwhile. No handler of a signal has its turn within a step.
"""

import pickle

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItem, PyDict_SetItem
from cpython.object cimport Py_TYPE, PyObject, PyTypeObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.string cimport memcmp, memcpy

cdef extern from *:
    """
    static inline Py_ssize_t length_at(const char *data) {
        const unsigned char *place = (const unsigned char *)data;
        return (Py_ssize_t)((unsigned int)place[0] << 24 | (unsigned int)place[1] << 16
                            | (unsigned int)place[2] << 8 | place[3]);
    }
    static inline void put_length(char *place, Py_ssize_t length) {
        place[0] = (char)(length >> 24); place[1] = (char)(length >> 16);
        place[2] = (char)(length >> 8); place[3] = (char)length;
    }
    """
    PyTypeObject PyUnicode_Type, PyLong_Type, PyTuple_Type, PyBytes_Type, PyList_Type
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    Py_ssize_t length_at(const char *)
    void put_length(char *, Py_ssize_t)

sources = {}
"""The functions of the sources, by name."""


# -- Batches -----------------------------------------------------------------------------------------------------------


cdef object _pickled = None
cdef object _simple = None
cdef long _short_items = 0
cdef Py_ssize_t _short_text = 0
cdef object _batch_messages = 0


cdef int look_at_batches() except -1:
    """Find what `pickled` says about batches, once."""
    global _pickled, _simple, _short_items, _short_text, _batch_messages
    from runtime.distribution import pickled

    _simple, _short_items, _short_text = pickled._SIMPLE, pickled.SHORT_ITEMS, pickled.SHORT_TEXT
    _batch_messages = pickled.BATCH_MESSAGES
    _pickled = pickled
    return 0


cdef bint is_short_tuple(object content) except -1:
    """Whether it is a tuple of a few small values that never change."""
    cdef Py_ssize_t number
    cdef PyObject *item
    cdef PyTypeObject *kind
    if Py_TYPE(content) is not &PyTuple_Type or PyTuple_GET_SIZE(content) >= _short_items:
        return False
    for number in range(PyTuple_GET_SIZE(content)):
        item = PyTuple_GET_ITEM(content, number)
        kind = Py_TYPE(<object>item)
        if kind is &PyUnicode_Type:
            if PyUnicode_GET_LENGTH(<object>item) >= _short_text:
                return False
        elif kind is not &PyLong_Type and <object>kind not in _simple:
            return False
    return True


cdef int append_to_run(object batches, object kind, object receiver, object content) except -1:
    """Add a message to the last run of a batch, or to a new run where it is of another kind or to another receiver."""
    cdef object run
    if receiver == batches._run_to and kind == batches._run_kind:
        run = batches._run
        (<list?>run).append(content)
    else:
        run = [content]
        batches._entries.append((kind, receiver, run))
        batches._run, batches._run_kind, batches._run_to = run, kind, receiver
    batches.count += 1
    return 0


def add_to_run(self, kind, receiver, content, is_own=True):
    if _pickled is None:
        look_at_batches()
    if not is_short_tuple(content):
        return sources["add_to_run"](self, kind, receiver, content, is_own)
    append_to_run(self, kind, receiver, content)
    return True


def cast_there(self, dest, message):
    """Cast to a name on another node. Returns False, with nothing done, where the usual way is to be taken."""
    if _pickled is None:
        look_at_batches()
    if Py_TYPE(dest) is not &PyTuple_Type or not is_short_tuple(message):
        return sources["cast_there"](self, dest, message)
    cdef object last = self._last_cast
    if last is not None and cast_again(last, dest, message):
        return True
    cdef PyObject *found = PyDict_GetItem(self._recent_names, dest)
    if found is NULL:
        return sources["cast_there"](self, dest, message)
    cdef object remote = (<object>found).remote
    cdef object connection = remote.connection
    if connection is None or not connection.pickles or remote.unsent is not None:
        return False
    cdef object batches = connection.batches
    append_to_run(batches, _pickled.SHORT_CAST, (<object>found).key, message)
    if not connection.flushes or batches.count >= _batch_messages or connection.was_busy:
        remote.go_on_sending(connection)
    self._last_cast = (dest, remote, connection, batches, batches._run)
    return True


cdef bint cast_again(tuple last, object dest, object message) except -1:
    """Cast once more where the last cast went to. Returns False, with nothing done, if something came in between."""
    cdef object there = <object>PyTuple_GET_ITEM(last, 0)
    if there is not dest and there != dest:
        return False
    cdef object remote = <object>PyTuple_GET_ITEM(last, 1), connection = <object>PyTuple_GET_ITEM(last, 2)
    cdef object batches = <object>PyTuple_GET_ITEM(last, 3), run = <object>PyTuple_GET_ITEM(last, 4)
    if remote.connection is not connection:  # it is over, and what its batch holds is never sent
        return False
    if batches._run is not run or not batches._run_kind or not connection.flushes or connection.was_busy:
        return False
    (<list?>run).append(message)
    cdef object count = batches.count + 1
    batches.count = count
    if count >= _batch_messages:
        remote.go_on_sending(connection)
    return True


# -- Out ---------------------------------------------------------------------------------------------------------------


cdef object _connection = None
cdef object _calls = None
cdef object _guarded, _pending, _call, _dumps, _loads, _put, _watchers_of
cdef PyTypeObject *_HubCalls = NULL
cdef PyTypeObject *_Transport = NULL
cdef PyTypeObject *_From = NULL
cdef PyTypeObject *_RemoteName = NULL
cdef PyTypeObject *_RemoteProcess = NULL
cdef PyTypeObject *_LocalNode = NULL
cdef PyTypeObject *_Pid = NULL
cdef PyTypeObject *_ForeignPid = NULL
cdef PyTypeObject *_Atom = NULL
cdef PyTypeObject *_Worker = NULL
cdef object _getcurrent, _cast, _system, _monotonic, _otp_tags, _incoming_message
cdef Py_ssize_t _busy = 0
cdef long _look = 0
cdef double _turn = 0
cdef unsigned char _pass_through = 0
cdef object _chunk, _small_chunk, _short_entries, _From_class, _ShortFrom, _logger
cdef Py_ssize_t _large = 0, _longest = 0
cdef unsigned char _plain_batch = 0


cdef int look_at_connections() except -1:
    """Find what belongs to connections and calls, once."""
    global _connection, _calls, _guarded, _pending, _call, _dumps, _loads, _large, _longest, _plain_batch
    global _chunk, _small_chunk, _short_entries, _From_class, _ShortFrom, _put, _watchers_of, _logger
    global _HubCalls, _Transport, _From, _RemoteName, _RemoteProcess, _LocalNode, _Pid, _ForeignPid, _Atom
    global _Worker, _incoming_message, _getcurrent, _cast, _system, _monotonic, _otp_tags, _busy, _look, _turn, _pass_through
    from time import monotonic

    from greenlet import getcurrent

    from runtime.distribution import cluster
    from runtime.distribution import connection
    from runtime.distribution import frames
    from runtime.distribution import hub_calls
    from runtime.distribution import incoming
    from runtime.distribution import outgoing
    from runtime.distribution import remote_calls
    from runtime.distribution import remote_process
    from runtime.distribution import transport
    from runtime.kernel import process
    from runtime.kernel import signals
    from runtime.otp import calls
    from runtime.terms import atom

    if _pickled is None:
        look_at_batches()
    _calls, _guarded, _large, _longest = calls, hub_calls._guarded, connection.LARGE, frames.LONGEST
    _plain_batch = frames.PLAIN_BATCH
    _pending, _call, _dumps, _loads = calls.PENDING, calls.CALL, pickle.dumps, pickle.loads
    _HubCalls, _Transport = <PyTypeObject *>hub_calls.HubCalls, <PyTypeObject *>transport.Transport
    _From, _RemoteName = <PyTypeObject *>calls.From, <PyTypeObject *>remote_process.RemoteName
    _chunk, _small_chunk, _short_entries = transport.CHUNK, transport.SMALL_CHUNK, incoming.SHORT_ENTRIES
    _From_class, _ShortFrom = calls.From, remote_calls.ShortFrom
    _put, _watchers_of = signals.put, signals.watchers_of
    _logger = connection.logger
    _RemoteProcess, _LocalNode = <PyTypeObject *>remote_process.RemoteProcess, <PyTypeObject *>cluster.LocalNode
    _Pid, _ForeignPid = <PyTypeObject *>process.Pid, <PyTypeObject *>process.ForeignPid
    _Atom = <PyTypeObject *>atom.Atom
    _getcurrent, _Worker = getcurrent, <PyTypeObject *>process.Worker
    _incoming_message = remote_calls.incoming_message
    _cast, _system, _monotonic, _otp_tags = calls.CAST, calls.SYSTEM, monotonic, remote_calls.OTP_TAGS
    _busy, _look, _turn, _pass_through = outgoing.BUSY, connection.LOOK, connection.TURN, frames.PASS_THROUGH
    _connection = connection
    return 0


cdef int send_queued(object connection) except -1:
    """`Connection.send_queued`, where the batch is not full."""
    cdef object hub
    if connection.batches.count >= _batch_messages:
        connection.send_queued()
    elif not connection.flushes:
        hub = connection._hub
        if Py_TYPE(hub) is _HubCalls:
            (<set?>hub.marked).add(connection)
            hub.loop.run_callback(_guarded, connection._flush, ())
        else:
            hub.later(connection._flush)
        connection.flushes = True
    return 0


cdef bint add_short(object batches, tuple entry) except -1:
    """`Batches.add_short`."""
    cdef object last = <object>PyTuple_GET_ITEM(entry, PyTuple_GET_SIZE(entry) - 1)
    cdef PyTypeObject *kind = Py_TYPE(last)
    if kind is &PyUnicode_Type:
        if PyUnicode_GET_LENGTH(last) >= _short_text:
            return False
    elif kind is not &PyLong_Type and not is_short_tuple(last) and not batches._is_short(last):
        return False
    batches._entries.append(entry)
    batches._run_kind = 0
    batches.count += 1
    return True


def send_there(self, target, message):
    """Send a request that is monitored by itself."""
    if _connection is None:
        look_at_connections()
    cdef object connection = self.connection, unsent = self.unsent, origin, receiver
    if (
        unsent is None
        or connection is None
        or Py_TYPE(message) is not &PyTuple_Type
        or PyTuple_GET_SIZE(message) != 3
        or <object>PyTuple_GET_ITEM(message, 0) is not _call
        or not connection.pickles
    ):
        return sources["send_there"](self, target, message)
    origin = <object>PyTuple_GET_ITEM(message, 1)
    if unsent[0] is not target or unsent[2] is not origin:
        return sources["send_there"](self, target, message)
    receiver = target.key if Py_TYPE(target) is _RemoteName else target.short_address()
    if receiver is None or not add_short(
        connection.batches,
        (_pickled.SHORT_CALL, receiver, origin.watcher.pid.id, unsent[1], <object>PyTuple_GET_ITEM(message, 2)),
    ):
        return sources["send_there"](self, target, message)
    self.unsent = None
    send_queued(connection)
    if connection.is_busy():
        self._hold(connection)


def settle_short(self, outcome):
    """Send the reply to a call as a short entry."""
    if _connection is None:
        look_at_connections()
    cdef object remote, connection, call, watchers
    if self.outcome is not _pending or type(outcome) is _calls.Failure:
        return
    remote, call = self.remote, self.call
    connection = remote.connection
    if connection is None or not connection.pickles or remote.calls.get(call) is not self:
        sources["settle_short"](self, outcome)
        return
    if not add_short(connection.batches, (_pickled.SHORT_REPLY, call, outcome)):
        sources["settle_short"](self, outcome)
        return
    self.outcome = outcome
    del remote.calls[call]
    watchers = self.server.watchers
    if watchers is not None:
        watchers.pop(-self.number, None)
    send_queued(connection)
    if connection.is_busy():
        remote._hold(connection)


cdef class Route:
    """Where a message to a node of the BEAM goes, and what is the same for the next one."""

    cdef object dest, target, remote, connection, frames, out, encode, control, sender


cdef bint is_same(object dest, object other):
    """Whether two destinations are one: the same pid, or the same name and node."""
    if dest is other:
        return True
    if Py_TYPE(dest) is not &PyTuple_Type or Py_TYPE(other) is not &PyTuple_Type:
        return False
    if PyTuple_GET_SIZE(dest) != 2 or PyTuple_GET_SIZE(other) != 2:
        return False
    return (
        PyTuple_GET_ITEM(dest, 0) == PyTuple_GET_ITEM(other, 0) and PyTuple_GET_ITEM(dest, 1) == PyTuple_GET_ITEM(other, 1)
    )


cdef object number_of_sender(object target):
    """Return the number of the process that sends to a name, as the control message says it; None for a pid."""
    cdef object worker
    if Py_TYPE(target) is not _RemoteName:
        return None
    worker = _getcurrent()
    return worker.process.pid.id if Py_TYPE(worker) is _Worker else None


cdef Route route_to(object local, object dest):
    """Return the way to a destination, which mostly is that of the message before. None where it is not known."""
    cdef Route route = local._last_send
    if (
        route is not None
        and is_same(route.dest, dest)
        and route.remote.connection is route.connection
        and route.connection.is_up
        and route.remote.unsent is None
        and route.sender is number_of_sender(route.target)
    ):
        return route
    return find_route(local, dest)


cdef Route find_route(object local, object dest):
    cdef object target, remote, connection, node
    cdef Route route
    if Py_TYPE(dest) is _ForeignPid:
        target = dest.process
        if Py_TYPE(target) is not _RemoteProcess:
            return None
        remote = target.remote
    elif Py_TYPE(dest) is &PyTuple_Type and PyTuple_GET_SIZE(dest) == 2:
        target, node = <object>PyTuple_GET_ITEM(dest, 0), <object>PyTuple_GET_ITEM(dest, 1)
        if not (is_text(target) and is_text(node)) or node == local.name:
            return None
        remote = local.remotes.get(node)
        if remote is None:
            return None
        target = remote.recent_names.get(target)
        if target is None:
            return None
    else:
        return None
    connection = remote.connection
    if connection is None or connection.pickles or not connection.is_up or remote.unsent is not None:
        return None
    route = Route.__new__(Route)
    route.dest, route.target, route.remote, route.connection = dest, target, remote, connection
    route.frames, route.out, route.encode = connection._frames, connection._out, connection._terms.codec.encode
    route.sender = number_of_sender(target)
    try:
        route.control = connection._terms.codec.encode_control(remote._sending(target))
    except (TypeError, RecursionError):
        return None
    local._last_send = route
    return route


def send_term(self, dest, message):
    """Send a message to a node of the BEAM. Returns False, with nothing done, where the usual way is to be taken."""
    if _connection is None:
        look_at_connections()
    cdef Route route
    cdef object connection, frames, tag, control, payload
    cdef Py_ssize_t size, control_size
    cdef bytes frame
    cdef char *place
    if Py_TYPE(message) is &PyTuple_Type and PyTuple_GET_SIZE(message):
        tag = <object>PyTuple_GET_ITEM(message, 0)
        if tag is _call or tag is _cast or tag is _system:
            return False
    route = route_to(self, dest)
    if route is None:
        return False
    try:
        payload = route.encode(message)
    except (TypeError, RecursionError):
        return False
    connection, frames, control = route.connection, route.frames, route.control
    control_size = PyBytes_GET_SIZE(<bytes?>control)
    size = 1 + control_size + PyBytes_GET_SIZE(<bytes?>payload)
    if size > _busy:
        return False
    frame = PyBytes_FromStringAndSize(NULL, size + 4)
    place = PyBytes_AS_STRING(frame)
    put_length(place, size)
    place[4] = <char>_pass_through
    memcpy(place + 5, PyBytes_AS_STRING(control), control_size)
    memcpy(place + 5 + control_size, PyBytes_AS_STRING(payload), size - 1 - control_size)
    (<list?>frames._parts).append(frame)
    frames.size += size + 4
    frames.messages += 1
    route.target.messages_in += 1
    if not connection.flushes:
        send_queued(connection)
    if (connection.was_busy or route.out.size + frames.size > _busy) and connection.is_busy():
        route.remote._hold(connection)
    return True


cdef bint is_text(object value):
    return Py_TYPE(value) is &PyUnicode_Type or Py_TYPE(value) is _Atom


cdef tuple take_plain(object batches):
    """`Batches.take` of a plain batch: its bytes, as a frame, and how many messages it holds. None if it is too long."""
    cdef object entries = batches._entries, count = batches.count, large = batches._large, data
    cdef bytes frame
    cdef Py_ssize_t size
    batches._entries, batches._run_kind, batches.count, batches._large = [], 0, 0, 0
    try:
        data = _dumps(entries, 5)
        size = PyBytes_GET_SIZE(<bytes?>data)
        if size >= _longest:
            batches._entries = entries + batches._entries
            batches.count += count
            batches._large += large
            return None
        frame = PyBytes_FromStringAndSize(NULL, size + 5)
        put_length(PyBytes_AS_STRING(frame), size + 1)
        PyBytes_AS_STRING(frame)[4] = <char>_plain_batch
        memcpy(PyBytes_AS_STRING(frame) + 5, PyBytes_AS_STRING(data), size)
        return frame, count
    except BaseException:
        batches._entries = entries + batches._entries
        batches.count += count
        batches._large += large
        raise


def flush(self):
    """Hand a plain batch to the socket, where nothing else waits."""
    if _connection is None:
        look_at_connections()
    cdef object frames = self._frames, out = self._out, batches = self.batches, lock = self._lock
    cdef tuple taken = None
    cdef bytes frame
    cdef bint is_open = True
    if (
        self.is_over
        or self._is_writing
        or frames._parts
        or out.size
        or not batches.count
        or not batches._is_plain
        or batches.taken is not None
        or self._transport.taken
        or Py_TYPE(self._transport) is not _Transport
        or not lock.acquire(False)  # to wait for it would let handlers of signals run
    ):
        sources["flush"](self)
        return
    self.flushes, self._is_writing = False, True
    try:
        taken = take_plain(batches)
        if taken is not None:
            frame, count = taken
            frames.messages += count
            out.waiting, out.size = (*out.waiting, frame), out.size + PyBytes_GET_SIZE(frame)
            is_open = out.write()
    except BaseException as error:
        self._flush_later()
        if not isinstance(error, MemoryError):
            raise
        return
    finally:
        lock.release()
        self._is_writing = False
    if taken is None:
        return sources["flush"](self)
    if not is_open or out.size or self.was_busy or self._waits_for_room:
        self._after_write(is_open)


def write(self):
    """Send what the socket takes of one piece."""
    if _connection is None:
        look_at_connections()
    cdef object waiting = self.waiting, transport = self._transport, data, sent
    if len(waiting) != 1 or Py_TYPE(transport) is not _Transport or transport.taken:
        return sources["write"](self)
    data = waiting[0]
    try:
        sent = transport._sock.send(data)
    except (BlockingIOError, InterruptedError):
        return True
    except OSError:
        return False
    self.size -= sent
    self.sent += sent
    self.waiting = (memoryview(data)[sent:],) if sent < len(data) else ()
    return True


# -- In ----------------------------------------------------------------------------------------------------------------


def readable(self):
    """Take in what has come, which mostly is one plain batch alone."""
    if _connection is None:
        look_at_connections()
    cdef object lock = self._lock
    cdef bint is_open
    if self.is_over or not lock.acquire(False):
        return
    try:
        try:
            is_open = self._transport.read()
        finally:
            lock.release()
        if not is_open:
            self._ends = "connection_closed"
        if not take_batch(self):
            self._go_on()
    except BaseException:
        self._go_on_later()
        raise


def handle_frames(self):
    """Handle the frames that are there until the turn is over."""
    if _connection is None:
        look_at_connections()
    cdef object received = self._received, next_frame = received.next, frame, decoder
    cdef double ends = _monotonic() + _turn
    cdef long until_look = _look
    decoder = None if self.pickles else self._terms.codec.decode_control.__self__
    if self._entries:
        self._deliver()
    while not self.is_over:
        frame = next_frame()
        if frame is None:
            return True
        if decoder is None or self._probes or not take_message(self, received, <bytes?>frame, decoder):
            self._handle(frame)
        until_look -= 1
        if not until_look or PyBytes_GET_SIZE(frame) > _large:
            until_look = _look
            if _monotonic() > ends:
                return False
    return True


cdef bint take_message(object connection, object received, bytes frame, object decoder) except -1:
    """Deliver a message to a process. Returns False, with nothing done, for another signal."""
    cdef object last = decoder._last_control, control, key, payload
    cdef Py_ssize_t size = PyBytes_GET_SIZE(frame), start
    cdef const unsigned char *place = <const unsigned char *>PyBytes_AS_STRING(frame)
    if size < 6 or place[0] != _pass_through or (place[5] != 2 and place[5] != 6):  # behind 131, 104, the arity and 97
        return False
    key, control = <object>PyTuple_GET_ITEM(<tuple?>last, 0), <object>PyTuple_GET_ITEM(last, 1)
    start = 1 + PyBytes_GET_SIZE(<bytes?>key)
    try:
        if start >= size or memcmp(place + 1, PyBytes_AS_STRING(key), start - 1):
            control, start = decoder.decode_control(frame, 1)
        if start >= size or not is_message(control):
            return False
        payload, end = decoder.decode_first(frame, start)
    except ValueError:
        return False
    if end != size or not put_message(connection, control, payload):
        return False
    connection.frames_in += 1
    received.frame = None
    return True


cdef bint is_message(object control):
    """Whether a control message is that of a message to a pid or to a name, without a note."""
    if Py_TYPE(control) is not &PyTuple_Type or PyTuple_GET_SIZE(control) < 3:
        return False
    cdef object kind = <object>PyTuple_GET_ITEM(control, 0)
    if Py_TYPE(kind) is not &PyLong_Type:
        return False
    return (kind == 2 and PyTuple_GET_SIZE(control) == 3) or (kind == 6 and PyTuple_GET_SIZE(control) == 4)


cdef bint put_message(object connection, tuple control, object payload) except -1:
    """Put a message into the mailbox of its process. Returns False, with nothing done, where the usual way is to be taken.

    Nothing of Python's runs once it is there, so that no handler of a signal can raise, and have it taken again.
    """
    cdef object local = connection._handler, remote, to, process, tag
    if Py_TYPE(local) is not _LocalNode:
        return False
    to = <object>PyTuple_GET_ITEM(control, PyTuple_GET_SIZE(control) - 1)
    if PyTuple_GET_SIZE(control) == 3:
        if Py_TYPE(to) is not _Pid:
            return False
        process = to.process
    else:
        if not is_text(to):
            return False
        process = local.node.names.get(str(to))
    if process is None:
        return True
    if Py_TYPE(payload) is &PyTuple_Type and PyTuple_GET_SIZE(payload):
        tag = <object>PyTuple_GET_ITEM(payload, 0)
        if is_text(tag) and tag in _otp_tags:
            remote = local.remotes.get(connection.name)
            if remote is None:
                return False
            payload = _incoming_message(payload, remote, process)
    _put(process, payload)
    return True


cdef bint take_batch(object connection) except -1:
    """Deliver a plain batch that has come alone. Returns False, with nothing done, where something else has come."""
    cdef object received = connection._received, pieces = received.pieces, data, entries
    cdef Py_ssize_t size
    cdef const char *place
    if (
        len(<list?>pieces) != 1
        or connection._ends is not None
        or connection._entries
        or received.frame is not None
        or received._at != len(received._buffer)
        or received._counted
        or not connection.pickles
    ):
        return False
    data = pieces[0]
    size, place = PyBytes_GET_SIZE(<bytes?>data), PyBytes_AS_STRING(data)
    if not 5 < size < _large or length_at(place) != size - 4 or <unsigned char>place[4] != _plain_batch:
        return False
    try:
        entries = [*_loads(PyBytes_FromStringAndSize(place + 5, size - 5))][::-1]
    except Exception:  # the sources look again: it may have been the handler of a signal
        return False
    received._taken += size
    connection._entries = entries
    del pieces[0]
    deliver(connection)
    return True


def read(self):
    """Read from a socket in the clear."""
    if _connection is None:
        look_at_connections()
    cdef object data, chunk = self._chunk
    try:
        data = self._sock.recv(chunk)
    except (BlockingIOError, InterruptedError):
        return True
    except OSError:
        return False
    if not data:
        return False
    (<list?>self.received).append(data)
    self._chunk = _small_chunk if len(data) < chunk else _chunk
    return True


def deliver(self):
    """Deliver the entries of a batch, from the end of the list."""
    if _connection is None:
        look_at_connections()
    cdef object handler = self._handler, entry, control, payload
    cdef list entries = self._entries
    while entries and not self.is_over:
        entry = entries[len(entries) - 1]
        try:
            if Py_TYPE(entry) is &PyTuple_Type and PyTuple_GET_SIZE(entry) and type(entry[0]) is int:
                self.frames_in += handler.on_short(self, entry)
            else:
                control, payload = entry
                if is_message(control) and put_message(self, control, payload):
                    self.frames_in += 1
                else:
                    self.frames_in += handler.on_frame(self, control, payload)
            del entries[len(entries) - 1]
        except Exception:
            if self._is_to_blame(entry):
                del entries[len(entries) - 1]
                _logger.exception("a message from %s could not be handled", self.name)


def on_short(self, connection, entry):
    if _connection is None:
        look_at_connections()
    cdef object remote = self.remotes.get(connection.name), kind
    if remote is None:
        return 0
    kind = entry[0]
    if kind == _pickled.SHORT_REPLY and len(entry) == 3:
        take_reply(self.monitors, entry[1], entry[2])
        return 1
    if kind == _pickled.SHORT_CALL and len(entry) == 5 and take_call(self, remote, entry):
        return 1
    return _short_entries[kind](remote, entry)


cdef int take_reply(dict monitors, object number, object reply) except -1:
    """`_short_reply`."""
    cdef object found = monitors.get(number), target
    if found is None or not isinstance(found[1], _From_class):
        return 0
    target = found[0]
    target.take_watcher(number)
    found[1].settle(reply)
    monitors.pop(number, None)
    return 0


cdef bint take_call(object local, object remote, tuple entry) except -1:
    """`_short_call`, where the server is there. Returns False, with nothing done, where it is not."""
    cdef object receiver = entry[1], process, sender, origin
    process = local.node.names.get(receiver) if isinstance(receiver, str) else local.node.find(receiver)
    if process is None:
        return False
    sender = remote.recent.get(entry[2])
    if sender is None:
        sender = remote.sender(entry[2])
    origin = remote.calls.get(entry[3])  # there already where an exception has struck after that
    if origin is None or origin.server is not process:
        origin = _ShortFrom(remote, sender, process, entry[3])
    remote.calls[entry[3]] = origin
    _watchers_of(process)[-origin.number] = origin
    _put(process, (_call, origin, entry[4]))
    return True


# -- The monitor of a call ---------------------------------------------------------------------------------------------


def set_watcher(self, number, entry):
    if _connection is None:
        look_at_connections()
    cdef object process = self.process, remote, connection
    PyDict_SetItem(self, number, entry)
    remote = process.remote
    if Py_TYPE(entry) is _From and remote.unsent is None:
        connection = remote.connection
        if connection is not None and connection.pickles:
            remote.local.monitors[number] = (process, entry)
            remote.unsent = (process, number, entry)
            return
    remote.begin_monitor(process, number, entry)


def take_watcher(self, number):
    cdef object watchers = self._watchers, entry
    if watchers is None:
        return None
    entry = dict.pop(watchers, number, None)
    if not watchers:
        self._watchers = None
    return entry
