"""The compiled form of calls and of a server's turn: `call`, `request`, `From.settle`, `run_server`."""

cdef PyTypeObject *_From = NULL
cdef PyTypeObject *_GenServer = NULL
cdef object _loop_module = None
cdef object _calls_module = None
cdef dict _loop = None
cdef dict _calls = None
cdef object _handle_message, _special, _total, _more, _REMOTE
cdef PyObject *CALL = NULL
cdef PyObject *CAST = NULL
cdef PyObject *SYSTEM = NULL
cdef PyObject *PENDING = NULL
cdef Py_ssize_t s_origin_number, s_outcome, s_server, s_watcher
cdef bint _has_looked_at_servers = False
cdef bint _can_serve = False
cdef unsigned long long _loop_changes = 0
cdef unsigned long long _calls_changes = 0
cdef int TURN = 0


cdef bint look_at_servers() except -1:
    """Find what belongs to servers, once. It is all there when the first call is made or the first turn begins."""
    global _From, _GenServer, _loop_module, _calls_module, _loop, _calls
    global _handle_message, _special, _total, _more, _REMOTE
    global CALL, CAST, SYSTEM, PENDING, TURN, _has_looked_at_servers, _can_serve
    global s_origin_number, s_outcome, s_server, s_watcher
    from runtime.kernel.process import REMOTE
    from runtime.otp import calls, gen_server, server_loop

    _REMOTE = REMOTE
    _calls_module, _loop_module = calls, server_loop
    _calls, _loop, _handle_message = vars(calls), vars(server_loop), server_loop.handle_message
    _From, _GenServer = <PyTypeObject *>calls.From, <PyTypeObject *>gen_server.GenServer
    _special, _total, _more = server_loop._SPECIAL, server_loop._total, server_loop.MORE
    CALL, CAST, PENDING = <PyObject *>calls.CALL, <PyObject *>calls.CAST, <PyObject *>calls.PENDING
    SYSTEM, TURN = <PyObject *>calls.SYSTEM, server_loop.TURN
    cdef dict of = slots_of(calls.From)
    s_origin_number, s_outcome, s_server, s_watcher = of["number"], of["outcome"], of["server"], of["watcher"]
    _can_serve = usable() and min(of.values()) > 0 and gen_server.GenServer._run_process is server_loop.run_server
    _has_looked_at_servers = True
    return _can_serve


cdef inline bint can_serve() except -1:
    return not _is_tapped and (_can_serve if _has_looked_at_servers else look_at_servers())


cdef inline bint serves(object body) except -1:
    """Whether a body is a server, as far as is known yet."""
    return _can_serve and not _is_tapped and PyType_IsSubtype(Py_TYPE(body), _GenServer)


cdef bint handles_as_usual() except -1:
    """Whether messages go to their callbacks without the detour that spans make."""
    global _loop_changes
    cdef unsigned long long changes = CHANGES_OF(_loop)
    if changes == 0 or changes != _loop_changes:
        if _loop["handle"] is not _handle_message or <PyObject *>_loop["handled_in_place"] is not CAST:
            return False
        _loop_changes = changes
    return True


cdef bint calls_as_usual() except -1:
    """Whether a call is made without the span of one."""
    global _calls_changes
    cdef unsigned long long changes = CHANGES_OF(_calls)
    if changes == 0 or changes != _calls_changes:
        if _calls["make_call"] is not <object>_From:
            return False
        _calls_changes = changes
    return True


# -- Calls ----------------------------------------------------------------------------------------------------------


cdef object begin_timeout(object process, object seconds):
    """`Timers.wait`, where the entry that the process has is early enough. Returns when it is due."""
    cdef object node = <object>load(<PyObject *>process, s_node)
    cdef object timers = <object>load(<PyObject *>node, s_timers) if Py_TYPE(node) is _Node else node.timers
    cdef object entry = <object>load(<PyObject *>process, s_timer_at), due
    if entry is not None and timers.now is _real_clock:
        due = monotonic_time() + <double>seconds
        if <double>entry <= <double>due:
            store(<PyObject *>process, s_deadline, <PyObject *>due)
            return due
    return timers.wait(process, seconds)


cdef bint keeps_limit(object process, object due) except -1:
    """`Timers.keep`, where code of the program's has waited in a process that is about to wait."""
    return process.node.timers.keep(process, due)


cdef int drop_watcher(object server, object number) except -1:
    cdef object watchers
    if Py_TYPE(server) is _Process:
        watchers = <object>load(<PyObject *>server, s_watchers)
        if watchers is not None:
            take_out(watchers, number)
    elif server.watchers is not None:
        server.watchers.pop(number, None)
    return 0


cdef int decide(object origin, object outcome) except -1:
    """`settle` of a `From` that is one of a plain call."""
    cdef PyObject *record = <PyObject *>origin
    if load(record, s_outcome) is not PENDING:
        return 0
    cdef object watcher = <object>load(record, s_watcher)
    if Py_TYPE(watcher) is not _Process:
        sources["settle"](origin, outcome)
        return 0
    if load(<PyObject *>watcher, s_state) is not DEAD:
        wake_up(watcher)
    store(record, s_outcome, <PyObject *>outcome)
    return drop_watcher(<object>load(record, s_server), <object>load(record, s_origin_number))


def settle(origin, outcome):
    if not can_serve() or Py_TYPE(origin) is not _From:
        return sources["settle"](origin, outcome)
    decide(origin, outcome)


cdef object find_server(object dest, object caller):
    """Return the process that a call goes to, or what stands for one of another node; None where the sources look."""
    cdef object server, cluster
    if Py_TYPE(dest) is _Pid:
        server = <object>load(<PyObject *>dest, s_pid_process)
        return server if Py_TYPE(server) is _Process else None
    if type(dest) is tuple:
        cluster = caller.node.cluster
        if cluster is None or len(dest) != 2 or type(dest[0]) is not str or type(dest[1]) is not str:
            return None
        server = cluster.resolve(dest[0], dest[1])
    else:
        server = dest.process if isinstance(dest, <object>_Pid) else None
    return server if server is not None and Py_TYPE(server) is not _Process and server.state is _REMOTE else None


cdef object ask(object dest, object tag, object content, object timeout, object function, object module):
    """`request` with a timeout in seconds or none, in the usual case."""
    cdef object worker = current_greenlet(), caller, server, isolated, origin, number, watchers, outcome, due = None
    cdef object source = sources["request"]
    ensure_stack()
    if not can_serve() or Py_TYPE(worker) is not _Worker:
        return source(dest, tag, content, timeout, function, module)
    if not calls_as_usual():
        return source(dest, tag, content, timeout, function, module)
    if timeout is not None and (Py_TYPE(timeout) is not &PyFloat_Type or not 0 < <double>timeout < 1e12):
        return source(dest, tag, content, timeout, function, module)
    caller = <object>load(<PyObject *>worker, s_process)
    if Py_TYPE(caller) is not _Process or load(<PyObject *>caller, s_state) is DEAD:
        return source(dest, tag, content, timeout, function, module)
    server = find_server(dest, caller)
    if server is None or caller is server:
        return source(dest, tag, content, timeout, function, module)
    cdef bint is_here = Py_TYPE(server) is _Process, is_late
    cdef PyObject *record = <PyObject *>caller
    isolated = content if is_atomic(content) else isolate(content)
    # while code of the program's copied, either may have died
    if load(record, s_state) is DEAD or (is_here and load(<PyObject *>server, s_state) is DEAD):
        return source(dest, tag, content, timeout, function, module)
    origin = made(_From)
    number = next(_numbers)
    fill(<PyObject *>origin, s_watcher, record)
    fill(<PyObject *>origin, s_server, <PyObject *>server)
    fill(<PyObject *>origin, s_outcome, PENDING)
    fill(<PyObject *>origin, s_origin_number, <PyObject *>number)
    try:
        watchers = table_in(server, s_watchers) if is_here else server.watchers
        if watchers is not None:
            watchers[number] = origin
        else:
            server.watchers = {number: origin}
        if timeout is not None:
            due = begin_timeout(caller, timeout)
        if is_here:
            if load(<PyObject *>server, s_state) is DEAD:  # a finalizer has just ended it
                decide(origin, _calls_module.Failure("noproc"))
            elif load(<PyObject *>server, s_state) is RECEIVING:
                wake_up(server)
            put_in(server, (tag, origin, isolated))
        else:
            server.messages_in += 1
            server.append((tag, origin, isolated))
        count_up(record, s_out)
        store(record, s_waiting_for, <PyObject *>origin)
        while load(<PyObject *>origin, s_outcome) is PENDING:
            if due is None or load(record, s_deadline) is <PyObject *>due:
                wait(caller, WAITING)
            elif not keeps_limit(caller, due):
                break
        store(record, s_deadline, NONE)
        store(record, s_waiting_for, NONE)
        is_late = load(<PyObject *>origin, s_outcome) is PENDING
        if is_late:
            origin.forget()
        if load(record, s_state) is RUNNABLE:  # decided while it did not wait: see `From.wait`
            store(record, s_state, RUNNING)
        if is_late:
            raise _calls_module.CallError("timeout", function, (dest, content, timeout), module)
    except BaseException:
        if load(record, s_deadline) is <PyObject *>due:  # else see the sources
            store(record, s_deadline, NONE)
        if load(<PyObject *>origin, s_outcome) is PENDING:
            store(<PyObject *>origin, s_outcome, NONE)
        drop_watcher(server, number)
        raise
    outcome = <object>load(<PyObject *>origin, s_outcome)
    if type(outcome) is _calls_module.Failure:
        raise _calls_module.CallError(outcome.reason, function, (dest, content, timeout), module)
    return outcome


def request(dest, tag, content, timeout, function, module="gen_server"):
    return ask(dest, tag, content, timeout, function, module)


def call(dest, request_, timeout=5.0):
    if CALL is NULL:
        look_at_servers()
    return ask(dest, <object>CALL, request_, timeout, "call", "gen_server")


# -- A server's turn ------------------------------------------------------------------------------------------------


cdef object handle_call(object server, object process, object message):
    """Hand a call to its callback. Returns how the server stops, None when it goes on."""
    cdef object origin = (<tuple>message)[1], request = (<tuple>message)[2]
    cdef object result = call_handle_call(server, "handle_call", request, origin)
    if PySet_Contains(_special, <object>Py_TYPE(result)):
        return _loop_module._after_call(server, process, result, origin)
    if result is None and not PySet_Contains(_total, <object>Py_TYPE(server)):
        _loop_module._note_none(server, process, request)
    if load(<PyObject *>process, s_state) is not DEAD:  # else the callback has swallowed the kill
        if not is_atomic(result):
            result = isolate(result)
        if Py_TYPE(origin) is _From:
            decide(origin, result)
        else:
            origin.settle(result)
    return None


cdef inline bint is_info(object message, PyObject *tag):
    """Whether a message is for `handle_info` whatever else is in it. A message that is no tuple has no tag."""
    return Py_TYPE(message) is not _Exit and tag is not CALL and tag is not CAST and tag is not SYSTEM


cdef inline bint has_saved(PyObject *record) except -1:
    cdef object saved = <object>load(record, s_saved)
    return saved is not None and bool(saved)


cdef object take_turn(object server, object process):
    """`_turn`: handle messages until none waits (None), the turn is long enough (MORE), or the server is to end."""
    cdef PyObject *record = <PyObject *>process
    cdef object scheduler = scheduler_of(record), waiting, message = None, result, stop
    cdef int handled = 0
    cdef PyObject *tag
    try:
        while True:
            if load(record, s_loop) is not NONE or has_saved(record) or not handles_as_usual():
                return _loop_module._turn(server, process)
            waiting = <object>load(record, s_mailbox)
            if Py_TYPE(waiting) is _deque:
                if not Py_SIZE(waiting):
                    return None
                message = _popleft(waiting)
            elif waiting is None:
                return None
            elif Py_TYPE(waiting) is &PyTuple_Type:
                waiting = None  # it holds the tuple
                message = take_single(record, s_mailbox)
            else:
                return _loop_module._turn(server, process)
            waiting = None
            if load(<PyObject *>_hooks, s_received) is not <PyObject *>_nothing:
                for hook in _hooks.received:
                    hook(process, message)
            tag = <PyObject *>(<tuple>message)[0] if type(message) is tuple and len(<tuple>message) else NULL
            if tag is CAST and len(<tuple>message) == 2:
                result = call_handle_cast(server, "handle_cast", (<tuple>message)[1])
                stop = None if result is None else _loop_module._after(server, process, result)
            elif tag is CALL and len(<tuple>message) == 3:
                stop = handle_call(server, process, message)
            elif is_info(message, tag):
                result = call_handle_info(server, "handle_info", message)
                stop = None if result is None else _loop_module._after(server, process, result)
            else:
                stop = _handle_message(server, process, message)
            if stop is not None:
                return _loop_module.Ending(stop.reason, message, stop)
            handled += 1
            if not goes_on(scheduler) or (handled >= TURN and scheduler.ready):
                return _more
    except BaseException as error:
        return _loop_module.Ending(_body_module.exit_reason(process, error), message)


cdef int run_turns(object server, object process, object worker) except -1:
    """`run_server`."""
    cdef PyObject *record = <PyObject *>process
    cdef object ending = None, waiting
    if load(record, s_loop) is not NONE:
        ending = _loop_module._begin_turn(server, process)
    while ending is None:
        ending = take_turn(server, process)
        if load(record, s_loop) is not NONE and _loop_module.loop_of(process).reports_unexpected:
            _loop_module.report_unexpected(process, type(server).__qualname__)
        if load(record, s_state) is DEAD:
            ending = _loop_module.Ending(<object>load(record, s_reason))
        elif load(<PyObject *>worker, s_local_links) is not NONE and (ending is None or ending is _more):
            if worker.local_links:  # gevent.local keeps something for this greenlet: the server stays on it
                ending = _loop_module._wait_in_place(server, process, ending is _more)
                continue
        if ending is None:
            if has_context():
                _loop_module._leave(process, worker)
            else:
                set_process(worker, NONE)
                store(record, s_worker, NONE)
            store(record, s_state, RECEIVING)
            if has_messages(process):  # the finalizer of the last message has just sent it something
                wake_up(process)
            else:
                store(record, s_mailbox, NONE)
            waiting = <object>load(record, s_saved)
            if waiting is not None and not waiting:
                process.saved = process.saved_for = None
            return 0
    if ending is _more:
        _loop_module._requeue(process, worker)
    else:
        _loop_module._end(server, process, worker, ending)
    return 0


def run_server(server, process, worker):
    if not can_serve() or Py_TYPE(process) is not _Process or Py_TYPE(worker) is not _Worker:
        return sources["run_server"](server, process, worker)
    run_turns(server, process, worker)
