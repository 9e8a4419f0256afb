"""The compiled form of a server's start: `start_server` in the starter, the run of `init` in the new process."""

cdef PyTypeObject *_Starting = NULL
cdef object _server_module = None
cdef object _new_starting, _plain_begin, _calls_failure, _ignore
cdef Py_ssize_t s_cls, s_start_args, s_start_kwargs, s_start_origin, s_ancestors
cdef bint _has_looked_at_starts = False
cdef bint _can_start = False


cdef bint look_at_starts() except -1:
    """Find what belongs to starts, once."""
    global _Starting, _server_module, _new_starting, _plain_begin, _calls_failure, _ignore
    global s_cls, s_start_args, s_start_kwargs, s_start_origin, s_ancestors, _has_looked_at_starts, _can_start
    from runtime.kernel import process
    from runtime.otp import calls, callbacks, gen_server, returns, server_loop

    _server_module, _new_starting = gen_server, server_loop.Starting
    _Starting, _plain_begin = <PyTypeObject *>server_loop.Starting, callbacks.Callbacks._begin_process
    _calls_failure, _ignore = calls.Failure, returns.IGNORE
    cdef dict of = slots_of(server_loop.Starting)
    s_cls, s_start_args, s_start_kwargs, s_start_origin = of["cls"], of["args"], of["kwargs"], of["origin"]
    s_ancestors = slots_of(process.Process)["ancestors"]
    _can_start = can_serve() and min(of.values()) > 0
    _has_looked_at_starts = True
    return _can_start


cdef inline bint can_start() except -1:
    return not _is_tapped and (_can_start if _has_looked_at_starts else look_at_starts())


def start_server(cls, args, kwargs, name, timeout, link, ref=None):
    cdef object worker = current_greenlet(), parent, node, server, origin = None, number, first, lineage, outcome
    cdef object source = sources["start_server"], watchers
    ensure_stack()
    if kwargs or timeout is not None or ref is not None or not can_start() or Py_TYPE(worker) is not _Worker:
        return source(cls, args, kwargs, name, timeout, link, ref)
    parent = <object>load(<PyObject *>worker, s_process)
    if Py_TYPE(parent) is not _Process or load(<PyObject *>parent, s_state) is DEAD or not has_room(LEVELS):
        return source(cls, args, kwargs, name, timeout, link, ref)
    node = <object>load(<PyObject *>parent, s_node)
    if not is_node(node):
        return source(cls, args, kwargs, name, timeout, link, ref)
    cdef PyObject *above = <PyObject *>parent
    starting = _new_starting(cls, args, kwargs)
    server = start_process(node, parent, starting)
    cdef PyObject *record = <PyObject *>server
    try:
        lineage = parent.lineage
        first = <object>load(above, s_name)
        if first is None:
            first = <object>load(above, s_pid)
        if lineage is None or (<tuple>lineage)[0] is not first:
            lineage = _server_module.lineage_of(parent)
        store(record, s_ancestors, <PyObject *>lineage)
        last = node.last_start
        if 0.0 <= <double><object>load(record, s_started_at) - <double>last < 0.001:
            store(record, s_started_at, <PyObject *>last)
        else:
            node.last_start = <object>load(record, s_started_at)
        origin = made(_From)
        number = next(_numbers)
        fill(<PyObject *>origin, s_watcher, above)
        fill(<PyObject *>origin, s_server, record)
        fill(<PyObject *>origin, s_outcome, PENDING)
        fill(<PyObject *>origin, s_origin_number, <PyObject *>number)
        store(<PyObject *>starting, s_start_origin, <PyObject *>origin)
        starting = None
        if load(record, s_watchers) is NONE:
            watchers = {number: origin}
            store(record, s_watchers, <PyObject *>watchers)
            watchers = None
        else:  # set by who learns of every process
            origin.begin()
        if name is not None:
            _server_module._take_name(node, server, name)
        if link:
            link_both(parent, server)
        else:
            server.detached = True  # as in OTP
        store(above, s_waiting_for, <PyObject *>origin)
        while load(<PyObject *>origin, s_outcome) is PENDING:
            wait(parent, WAITING)
        store(above, s_deadline, NONE)
        store(above, s_waiting_for, NONE)
        if load(above, s_state) is RUNNABLE:  # decided while it did not wait: see `From.wait`
            store(above, s_state, RUNNING)
        outcome = <object>load(<PyObject *>origin, s_outcome)
        if type(outcome) is _calls_failure:
            raise _server_module.StartError(outcome.reason)
        return None if outcome is _ignore else <object>load(record, s_pid)
    except BaseException as error:
        _server_module.give_up_start(parent, server, origin)
        if isinstance(error, _server_module.AlreadyRegisteredError):
            raise _server_module.StartError(("already_started", error.pid)) from None
        raise


cdef bint is_start(object body) except -1:
    """Whether a body is the start of a server, as far as is known yet."""
    return _can_start and not _is_tapped and Py_TYPE(body) is _Starting


cdef int run_start(object starting, object process, object worker) except -1:
    """`Starting._run_process`."""
    cdef PyObject *record = <PyObject *>process
    cdef object origin = <object>load(<PyObject *>starting, s_start_origin)
    cdef object cls = <object>load(<PyObject *>starting, s_cls), args = <object>load(<PyObject *>starting, s_start_args)
    cdef object kwargs = <object>load(<PyObject *>starting, s_start_kwargs), server, outcome, watchers
    try:
        server = cls()
        store(record, s_body, <PyObject *>server)
        if not kwargs and cls._begin_process is _plain_begin:
            outcome = server.init(*args)
        else:
            outcome = server._begin_process(*args, **kwargs)
    except BaseException as error:
        starting._fail(process, worker, _body_module.exit_reason(process, error))
        return 0
    if outcome is not None or load(record, s_state) is not RUNNING or Py_TYPE(origin) is not _From:
        starting._begun(server, process, worker, outcome)
        return 0
    decide(origin, True)
    watchers = <object>load(record, s_watchers)
    if watchers is not None and not watchers:
        store(record, s_watchers, NONE)  # a waiting server keeps nothing that it does not need
    if (
        load(record, s_mailbox) is NONE
        and load(record, s_loop) is NONE
        and load(record, s_saved) is NONE
        and load(<PyObject *>worker, s_local_links) is NONE
    ):  # what a turn of it comes to, without the turn
        if has_context():
            _loop_module._leave(process, worker)
        else:
            set_process(worker, NONE)
            store(record, s_worker, NONE)
        store(record, s_state, RECEIVING)
        if load(record, s_mailbox) is not NONE:  # since a moment ago: see `run_turns`
            wake_up(process)
    else:
        _loop_module.enter_server_loop(server, process, worker, None)
    return 0
