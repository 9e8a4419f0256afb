"""The compiled form of waiting: `Scheduler.park`, `receive`.

They take the steps of the sources in their order. What another greenlet throws into one that waits, or the handler of a
signal raises where the program's code runs, arrives where the sources have their call of `switch`, and is treated alike.
"""

from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE

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


ctypedef int (*Wait)(object) noexcept
ctypedef int (*Count)(PyObject *, Py_ssize_t) noexcept
ctypedef PyObject *(*Choice)(object, object) noexcept
ctypedef PyObject *(*StackChoice)(object, object, object) noexcept
"""Functions that return -1 or NULL when they have raised, for callers that look at it themselves.

greenlet copies the stack of a process that waits, and to catch an exception takes some hundred bytes of it. So what such
a process has on its stack catches none: it calls a function that does when one was raised.
"""


cdef inline bint goes_on(object scheduler) except -1:
    """Whether the batch goes on: its budget is not used up, or renewed."""
    cdef unsigned long budget = small_value(load(<PyObject *>scheduler, s_budget))
    if 1 < budget <= 256:
        set_small(<PyObject *>scheduler, s_budget, budget - 1)
        return True
    return count_down(scheduler) or more_time(scheduler)


cdef bint count_down(object scheduler) except -1:
    """Take one of a budget that may be anything. Returns whether any is left."""
    cdef object left = <object>load(<PyObject *>scheduler, s_budget) - 1
    store(<PyObject *>scheduler, s_budget, <PyObject *>left)
    return left > 0


cdef bint more_time(object scheduler) except -1:
    """`Scheduler.more_time`."""
    cdef object remains = <object>load(<PyObject *>scheduler, s_remains)
    cdef object ends = <object>load(<PyObject *>scheduler, s_batch_ends), doomed, steps
    if (
        Py_TYPE(remains) is not _Remains
        or Py_TYPE(ends) is not &PyFloat_Type
        or <object>load(<PyObject *>scheduler, s_collecting)
    ):
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
            if load(<PyObject *>following, s_state) is RUNNABLE:
                return None if following is process else following
            scheduler.remains.passed_over.append(following)  # it died in the queue
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
    if scheduler is NULL or load(record, s_state) is not RUNNING:
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
    if not counted_up(record, s_reductions) and (<Count>count_up_anew)(record, s_reductions) < 0:
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
