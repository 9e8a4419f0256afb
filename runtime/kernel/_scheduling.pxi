"""The compiled form of waiting and of the main loop of a worker: `Scheduler.park`, `Scheduler.run_ready`, `receive`.

They take the steps of the sources in their order. What another greenlet throws into one that waits, or the handler of a
signal raises where the program's code runs, arrives where the sources have their call of `switch`, and is treated alike.
"""

from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLong, PyLong_FromLong

cdef extern from *:
    """
    #include <alloca.h>

    #if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000
    #ifndef Py_BUILD_CORE
    #define Py_BUILD_CORE 1
    #endif
    #include "internal/pycore_frame.h"
    #define CAN_SKIP_FRAMES 1
    #endif
    static PyObject *skipped_code = NULL;
    static inline void skip_frames_of(PyObject *code) {
        Py_INCREF(code);
        Py_XSETREF(skipped_code, code);
    }
    /* Switch, and leave a frame of `receive` out of the stack meanwhile. For the innermost frame of a stack that it
       leaves, greenlet makes a frame object. That of the program's function is made once, one of `receive` each time. */
    static inline PyObject *switch_to(PyObject *greenlet, PyObject *arguments) {
        PyThreadState *thread = PyThreadState_Get();
        PyObject *here = is_noted(thread) ? running.greenlet : NULL, *result;
    #ifdef CAN_SKIP_FRAMES
        _PyInterpreterFrame *frame = thread->cframe->current_frame;
        int skips = frame != NULL && (PyObject *)frame->f_code == skipped_code && frame->previous != NULL;
        if (skips) thread->cframe->current_frame = frame->previous;
        else frame = NULL;
    #endif
        result = PyGreenlet_Switch((PyGreenlet *)greenlet, arguments, NULL);
    #ifdef CAN_SKIP_FRAMES
        if (frame != NULL) thread->cframe->current_frame = frame;  /* greenlet has put the C frame of the loop back */
    #endif
        if (here != NULL) note_running(thread, here);
        return result;
    }
    static inline int switched_to(PyObject *greenlet, PyObject *arguments) {
        return dropped(switch_to(greenlet, arguments));
    }
    static int hand_to(PyObject *greenlet, PyObject *item) {
        PyObject *arguments = PyTuple_Pack(1, item);
        int status = arguments == NULL ? -1 : switched_to(greenlet, arguments);
        Py_XDECREF(arguments);
        return status;
    }
    static int raise_again(void) { return -1; }
    /* Start a greenlet on a part of the C stack that is some way below. greenlet copies the stack of one that waits away
       only when another one takes its place: so two that talk to each other, a caller and its server for instance, have
       half as much copied when each has a place of its own. */
    #define PLACES 2
    #define DISTANCE 6400  /* of two places; the stack of a process that waits takes half of it, mostly */
    static PyObject *start_apart(PyObject *greenlet, PyObject *arguments) {
        static unsigned int last = 0;
        unsigned int place = last = (last + 1) % PLACES;
        volatile char *space = alloca(place * DISTANCE + 16);
        PyObject *result;
        *space = 0;  /* it stays in use, or the compiler leaves it out */
        result = PyGreenlet_Switch((PyGreenlet *)greenlet, arguments, NULL);
        *space = 0;
        return result;
    }
    static inline int drop_last(PyObject *list) {
        Py_ssize_t size = PyList_GET_SIZE(list);
        return PyList_SetSlice(list, size - 1, size, NULL);
    }
    static inline int has_context(void) {
        return PyThreadState_Get()->context != NULL;
    }
    #define VERSION_OF(kind) (((PyTypeObject *)(kind))->tp_version_tag)
    """
    int drop_last(object) except -1
    object switch_to(PyObject *, PyObject *)
    int switched_to(PyObject *, PyObject *) noexcept  # -1: an exception was raised
    int hand_to(PyObject *, PyObject *) noexcept
    int raise_again() except -1  # raises the exception that is set
    object start_apart(object, object)
    void skip_frames_of(object)
    bint has_context()
    unsigned int VERSION_OF(PyTypeObject *)

cdef unsigned int _worker_version = 0

cdef class Turns  # below

cdef enum:
    MOST_ARGUMENTS = 3  # that the bottom frame of a worker gives to a function


ctypedef int (*Unchecked)(object, object) noexcept
ctypedef int (*Wait)(object) noexcept
ctypedef int (*Count)(PyObject *, Py_ssize_t) noexcept
ctypedef PyObject *(*Choice)(object, object) noexcept
ctypedef int (*Turn)(Turns, object, object) noexcept
ctypedef PyObject *(*StackChoice)(object, object, object) noexcept
"""Functions that return -1 or NULL when they have raised, for callers that look at it themselves.

greenlet copies the stack of a process that waits, and to catch an exception takes some hundred bytes of it. So what such
a process has on its stack catches none: it calls a function that does when one was raised.
"""


cdef inline bint goes_on(object scheduler) except -1:
    """Whether the batch goes on: its budget is not used up, or renewed."""
    cdef long left = PyLong_AsLong(<object>load(<PyObject *>scheduler, s_budget)) - 1
    cdef object budget = PyLong_FromLong(left)
    store(<PyObject *>scheduler, s_budget, <PyObject *>budget)
    return left > 0 or more_time(scheduler)


cdef bint more_time(object scheduler) except -1:
    """`Scheduler.more_time`."""
    cdef object remains = <object>load(<PyObject *>scheduler, s_remains)
    cdef object ends = <object>load(<PyObject *>scheduler, s_batch_ends), doomed, steps
    if Py_TYPE(remains) is not _Remains or Py_TYPE(ends) is not &PyFloat_Type:
        return scheduler.more_time()
    doomed = <object>load(<PyObject *>remains, s_doomed)
    if monotonic_time() >= <double>ends or doomed:
        return False
    steps = _scheduler_module.STEPS
    store(<PyObject *>scheduler, s_budget, <PyObject *>steps)
    return True


# -- Waiting --------------------------------------------------------------------------------------------------------


cdef object next_ready(object process, object scheduler):
    """Take the process that is to run next out of the queue. That `process` itself is returned stands for the hub.

    None stands for that very process, found in the queue: it was woken before it came to wait.
    """
    cdef object ready, following
    if goes_on(scheduler):
        ready = <object>load(<PyObject *>scheduler, s_ready)
        while Py_SIZE(ready):
            following = _popleft(ready)
            if load(<PyObject *>following, s_state) is RUNNABLE:  # else it died in the queue
                return None if following is process else following
    return process


cdef object stack_for(object following, object process, object scheduler):
    """Return what to switch to for `following`: its worker, an idle one, or the hub."""
    cdef object other
    cdef list idle
    if following is not process:
        other = <object>load(<PyObject *>following, s_worker)
        if other is not None:
            return other
        idle = <list>load(<PyObject *>scheduler, s_idle)
        if PyList_GET_SIZE(idle):
            other = <object>PyList_GET_ITEM(idle, PyList_GET_SIZE(idle) - 1)
            drop_last(idle)
            return other
        # only the hub starts workers: a greenlet inherits the recursion depth of its starter
        _appendleft(<object>load(<PyObject *>scheduler, s_ready), following)
    return <object>load(<PyObject *>scheduler, s_hub)


cdef int wait(object process, PyObject *state) except -1:
    """`Scheduler.park` of a process that is known to be one."""
    cdef PyObject *record = <PyObject *>process
    cdef PyObject *scheduler = plain_scheduler(record)
    cdef PyObject *following
    cdef PyObject *other = NULL
    cdef int status
    if scheduler is NULL:
        return wait_by_sources(process, state)
    store(record, s_state, state)
    following = (<Choice>next_ready)(process, <object>scheduler)
    if following is NULL:
        return give_up(process, NULL, NULL)
    if following is not NONE:
        other = (<StackChoice>stack_for)(<object>following, process, <object>scheduler)
        if other is NULL:
            return give_up(process, following, NULL)
        if load(following, s_worker) is NONE and kind_of(other) is _Worker:
            status = hand_to(other, following)
        else:
            status = switched_to(other, NULL)
        if status < 0:
            return give_up(process, following, other)
    if load(record, s_state) is not RUNNABLE and (<Wait>wait_on)(process) < 0:
        return give_up(process, following, other)
    store(record, s_state, RUNNING)
    if not counted_up(load(record, s_reductions)) and (<Count>count_up_anew)(record, s_reductions) < 0:
        return give_up(process, following, other)
    release(following)
    release(other)
    return 0


cdef int wait_by_sources(object process, PyObject *state) except -1:
    scheduler = scheduler_of(<PyObject *>process)
    if Py_TYPE(scheduler) is _Scheduler:
        sources["park"](scheduler, process, <object>state)
    else:
        scheduler.park(process, <object>state)
    return 0


cdef int wait_on(object process) except -1:
    """Wait again after a stray switch from outside: nothing has woken this process."""
    cdef object scheduler = scheduler_of(<PyObject *>process)
    while load(<PyObject *>process, s_state) is not RUNNABLE:
        if switched_to(load(<PyObject *>scheduler, s_hub), NULL) < 0:
            raise_again()
    return 0


cdef int give_up(object process, PyObject *following, PyObject *other) except -1:
    """Take back what a wait has set that an exception has ended, and raise that again. Lets go of both others."""
    cdef object next_one = None, worker = None
    try:
        raise_again()
    except BaseException:
        if following is not NULL:
            next_one = process if following is NONE else <object>following
        if other is not NULL and kind_of(other) is _Worker:
            worker = <object>other
        release(following)
        release(other)
        scheduler = scheduler_of(<PyObject *>process)
        scheduler._stop_waiting(process, next_one)
        if worker is not None:
            scheduler._put_back(worker)
        raise
    return 0


def park(scheduler, process, state):
    if not usable() or Py_TYPE(process) is not _Process or scheduler_of(<PyObject *>process) is not scheduler:
        return sources["park"](scheduler, process, state)
    if load(<PyObject *>process, s_state) is not RUNNING or (<PyObject *>state is RECEIVING and has_messages(process)):
        return sources["park"](scheduler, process, state)
    wait(process, <PyObject *>state)


# -- On a worker ----------------------------------------------------------------------------------------------------


def start_worker(worker, scheduler):
    """Switch to a worker that has not begun. It is given the scheduler that it works for."""
    start_apart(worker, (scheduler,))


cdef inline int set_process(object worker, PyObject *process) except -1:
    """``worker.process = process``: an observer that meters the processes has a property in the place of the slot."""
    cdef unsigned int version = VERSION_OF(_Worker)
    if version == 0 or version != _worker_version:
        return set_by_attribute(worker, process)
    store(<PyObject *>worker, s_process, process)
    return 0


cdef int set_by_attribute(object worker, PyObject *process) except -1:
    global _worker_version
    worker.process = <object>process
    from runtime.kernel.process import worker_slot

    if vars(<object>_Worker)["process"] is worker_slot:
        _worker_version = VERSION_OF(_Worker)
    return 0


cdef object next_process(object scheduler, object worker, object ready):
    """Return the process that a worker is to run next, None when it is to end. It is idle until there is one."""
    cdef list idle = <list>load(<PyObject *>scheduler, s_idle)
    cdef object process = None, other
    while True:
        if process is None:
            if Py_SIZE(ready) and goes_on(scheduler):
                process = _popleft(ready)
            else:
                if PyList_GET_SIZE(idle) >= _scheduler_module.MAX_IDLE:
                    return None
                idle.append(worker)
                process = switch_to(load(<PyObject *>scheduler, s_hub), NULL) or None
                continue
        if load(<PyObject *>process, s_state) is not RUNNABLE:
            process = None
            continue
        other = <object>load(<PyObject *>process, s_worker)
        if other is None:
            return process
        idle.append(worker)
        process = switch_to(<PyObject *>other, NULL) or None


cdef int take_on(object process, object worker) except -1:
    """Put a process onto the stack of a worker."""
    cdef PyObject *record = <PyObject *>process
    store(record, s_worker, <PyObject *>worker)
    set_process(worker, record)
    store(record, s_state, RUNNING)
    count_up(record, s_reductions)
    if load(record, s_cleanup) is not FALSE and process.context is not None:
        worker.gr_context = process.context
    return 0


cdef int run_body(object process, object worker) except -1:
    """Run a process that is no plain one."""
    cdef object body = <object>load(<PyObject *>process, s_body)
    if serves(body):
        run_turns(body, process, worker)
    elif is_start(body):
        run_start(body, process, worker)
    else:
        body._run_process(process, worker)
    return 0


cdef int contain(object scheduler, object process) except -1:
    """End a process whose body has let an exception through."""
    try:
        raise_again()
    except BaseException as error:
        scheduler._contain(process, error)
    return 0


cdef bint is_used_up(object scheduler, object process, object worker) except -1:
    """Clean a worker after a process. Returns whether something may still hold a switch to it, so that it has to end."""
    if load(<PyObject *>worker, s_local_links) is not NONE or has_context():
        worker.wipe()
    if load(<PyObject *>process, s_cleanup) is not FALSE and process.interrupts:
        if scheduler.forked:
            _scheduler_module.end_child(None)
        return True
    return False


cdef int begin(Turns turns) except -1:
    """Look whether a worker can run by compiled code. Where it cannot, the sources run it, to its end."""
    scheduler, worker = turns.scheduler, turns.worker
    if usable() and Py_TYPE(scheduler) is _Scheduler and Py_TYPE(worker) is _Worker:
        if kind_of(load(<PyObject *>scheduler, s_ready)) is _deque:
            turns.ready = <object>load(<PyObject *>scheduler, s_ready)
            return 1
    scheduler.run_ready(worker)
    return 0


cdef int run_next(Turns turns, object process, object worker) except -2:
    """Begin the turn of a process. Returns the number of arguments when the bottom frame is to call it, else -1."""
    cdef PyObject *body
    cdef Py_ssize_t count
    take_on(process, worker)
    body = load(<PyObject *>process, s_body)
    if kind_of(body) is not _PlainBody or _is_tapped:
        run_body(process, worker)
        return -1
    count = Py_SIZE(<object>load(body, s_args))
    if count > MOST_ARGUMENTS or PyDict_GET_SIZE(<object>load(body, s_kwargs)):
        run_plain(process, worker)
        return -1
    turns.process = process
    return <int>count


cdef int end_turn(Turns turns, object process, object worker) except -2:
    """End a plain process whose function the bottom frame has called. Returns -1, as `run_next` after a turn."""
    cdef object reason
    turns.process = None
    if turns.reason is None:
        set_process(worker, NONE)
        end(process, "normal")
    else:
        reason, turns.reason = turns.reason, None
        if reason is not CONTAINED:
            end_with(process, worker, reason)
    return -1


cdef int advance(Turns turns) except -2:
    """Run processes until there is one that the bottom frame is to call. Returns the number of its arguments.

    -1: the worker is to end. What this calls catches nothing: it may be on the stack of a process that waits.
    """
    cdef PyObject *scheduler = <PyObject *>turns.scheduler
    cdef PyObject *worker = <PyObject *>turns.worker
    cdef object process = turns.process
    cdef int count
    if turns.ready is None and not begin(turns):
        return -1
    while True:
        if process is None:
            process = next_process(<object>scheduler, <object>worker, turns.ready)
            if process is None:
                return -1
            count = (<Turn>run_next)(turns, process, <object>worker)
            if count >= 0:
                return count
        else:
            count = (<Turn>end_turn)(turns, process, <object>worker)
        if count < -1:
            contain(<object>scheduler, process)
        if is_used_up(<object>scheduler, process, <object>worker):
            return -1
        process = None


cdef object CONTAINED = object()


cdef class Turns:
    """The processes of a worker, for its bottom frame (`Scheduler.dispatch`), which calls the functions of plain ones.

    It iterates over the numbers of arguments, None for no argument. The item None is the function, the others are its
    arguments. From a frame of Python's own, Python calls a function without a frame of C's, which would be copied with
    the stack of each process that waits. All are items and no calls: after a call Python runs the handlers of signals,
    and an exception of theirs would lose the process.
    """

    cdef object scheduler, worker, ready, process, reason

    def __init__(self, scheduler, worker):
        self.scheduler, self.worker = scheduler, worker

    def __iter__(self):
        return self

    def __next__(self):
        cdef int count = advance(self)
        if count < 0:
            raise StopIteration
        return None if count == 0 else count

    def __getitem__(self, object key):
        cdef PyObject *body
        if isinstance(key, BaseException):
            return note_exception(self, key)
        body = load(<PyObject *>self.process, s_body)
        return <object>load(body, s_function) if key is None else (<tuple>load(body, s_args))[<Py_ssize_t>key]

    def close(self, error):
        """End the worker by an exception: it may have taken a process from the queue."""
        scheduler, process, self.process = self.scheduler, self.process, None
        scheduler.may_have_lost = True
        if self.worker in scheduler.idle:
            scheduler.idle.remove(self.worker)
        if process is not None:
            scheduler._contain(process, error)


cdef object note_exception(Turns turns, object error):
    """Note why the process ends whose function has raised. Raises again what no process has raised."""
    if turns.process is None:
        raise error
    try:
        turns.reason = _body_module.exit_reason(turns.process, error)
    except BaseException as another:
        turns.reason = CONTAINED
        turns.scheduler._contain(turns.process, another)
