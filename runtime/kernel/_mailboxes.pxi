"""What each message changes: the counts of its two processes, and the mailbox that it is put into and taken out of.

The usual case makes no object: to make one, and to drop it, takes more instructions than all else of it.
"""

cdef extern from *:
    """
    /* The numbers that Python has one object of each for: 0 to 256. */
    static PyObject *small_numbers[257];
    static int find_small_numbers(void) {
        for (long number = 0; number <= 256; number++) {
            if ((small_numbers[number] = PyLong_FromLong(number)) == NULL) return 0;
        }
        return 1;
    }
    /* Return a number that is from 0 to 256, else another one. */
    static inline unsigned long small_value(PyObject *number) {
        if (number == small_numbers[0]) return 0;
        return PyLong_CheckExact(number) && IS_ONE_DIGIT(number) ? DIGIT(number) : 257;
    }
    static inline void set_small(PyObject *record, Py_ssize_t slot, unsigned long number) {
        store(record, slot, small_numbers[number]);
    }
    /* Count up, without a new object: the next one of the small numbers, or the number itself, in place, where nothing
       else refers to it, so that nothing sees that it changes. Returns 0 where that cannot be. */
    static inline int counted_up(PyObject *record, Py_ssize_t slot) {
        PyObject *number = load(record, slot);
        unsigned long value = small_value(number);
        if (value < 256) {
            set_small(record, slot, value + 1);
            return 1;
        }
        if (value <= 257 || value >= PyLong_MASK || Py_REFCNT(number) != 1) return 0;
        DIGIT(number)++;
        return 1;
    }
    /* A tuple of one, which no mailbox needs any more, for the next message. To make one takes more instructions than all
       else that is done to a mailbox. */
    static PyObject *spare_mailbox = NULL;
    static inline PyObject *around(PyObject *message) {
        PyObject *mailbox = spare_mailbox;
        if (mailbox == NULL) return PyTuple_Pack(1, message);
        spare_mailbox = NULL;
        Py_INCREF(message);
        PyTuple_SET_ITEM(mailbox, 0, message);
        PyObject_GC_Track(mailbox);
        return mailbox;
    }
    /* Take the message out of a mailbox that is a tuple around it. What somebody else holds stays as it is. */
    static inline PyObject *take_single(PyObject *record, Py_ssize_t slot) {
        PyObject **place = (PyObject **)((char *)record + slot), *mailbox = *place, *message = PyTuple_GET_ITEM(mailbox, 0);
        Py_INCREF(Py_None);
        *place = Py_None;
        if (Py_REFCNT(mailbox) != 1 || spare_mailbox != NULL) {
            Py_INCREF(message);
            Py_DECREF(mailbox);
            return message;
        }
        PyObject_GC_UnTrack(mailbox);
        PyTuple_SET_ITEM(mailbox, 0, NULL);
        spare_mailbox = mailbox;
        return message;
    }
    """
    bint find_small_numbers()
    unsigned long small_value(PyObject *)
    void set_small(PyObject *, Py_ssize_t, unsigned long)
    bint counted_up(PyObject *, Py_ssize_t)
    object around(object)
    object take_single(PyObject *, Py_ssize_t)


cdef inline int count_up(PyObject *record, Py_ssize_t slot) except -1:
    return 0 if counted_up(record, slot) else count_up_anew(record, slot)


cdef int count_up_anew(PyObject *record, Py_ssize_t slot) except -1:
    cdef object number = <object>load(record, slot) + 1
    store(record, slot, <PyObject *>number)
    return 0


cdef inline bint has_messages(object process) except -1:
    """Whether something is in the mailbox of a process."""
    cdef object waiting = <object>load(<PyObject *>process, s_mailbox)
    return waiting is not None and bool(waiting)


cdef int put_in(object process, object message) except -1:
    """The last half of `put`: the message into the mailbox."""
    cdef PyObject *record = <PyObject *>process
    cdef object mailbox, new
    count_up(record, s_in)
    if load(record, s_mailbox) is NONE:  # the commonest, with no references counted
        new = around(message)
        # Else a finalizer has just sent it something, or has waited until the process waits again.
        if load(record, s_mailbox) is NONE and load(record, s_state) is not RECEIVING:
            store(record, s_mailbox, <PyObject *>new)
            return 0
    while True:
        if load(record, s_state) is RECEIVING and not process.held:  # see `put_behind`
            wake_up(process)
        mailbox = <object>load(record, s_mailbox)
        if mailbox is None:
            new = (message,)
        elif Py_TYPE(mailbox) is &PyTuple_Type:
            new = deque((*mailbox, message))
        elif Py_TYPE(mailbox) is _deque:
            _append(mailbox, message)
            return 0
        else:
            mailbox.append(message)
            return 0
        if load(record, s_mailbox) is not <PyObject *>mailbox:  # a finalizer has just sent it something: begin anew
            continue
        if load(record, s_state) is not RECEIVING or process.held:
            store(record, s_mailbox, <PyObject *>new)
            return 0
