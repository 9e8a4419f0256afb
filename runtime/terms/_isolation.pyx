# cython: language_level=3, boundscheck=False, wraparound=False, nonecheck=True
"""The compiled form of `runtime.terms.isolation`, which says what isolation is.

It gives what `isolation` gives, sooner, and hands what it does not know to the functions there. Tests compare the two.

Whatever is copied is held by a reference of our own meanwhile, since code of the program's may run. An object with one
more, that of the container it lies in, cannot be met a second time, and stays out of the memo.
"""

cimport cython
from cpython.dict cimport PyDict_Contains, PyDict_Copy, PyDict_Next, PyDict_SetItem
from cpython.exc cimport PyErr_CheckSignals
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE, PyList_GetSlice
from cpython.long cimport PyLong_FromVoidPtr
from cpython.object cimport Py_TYPE, PyObject, PyTypeObject
from cpython.set cimport PySet_Contains
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE

from collections import deque
from copyreg import _slotnames, dispatch_table
from enum import Enum
from types import GetSetDescriptorType

from runtime.terms.immutable import ATOMIC
from runtime.terms.isolation import _COPIERS, _copy, _is_handle, _is_immutable
from runtime.terms.signal_handlers import is_of_handler

cdef extern from *:
    """
    static PyObject *new_instance(PyObject *kind) {
        PyObject *nothing = PyTuple_New(0), *result;
        if (nothing == NULL) return NULL;
        result = PyBaseObject_Type.tp_new((PyTypeObject *)kind, nothing, NULL);
        Py_DECREF(nothing);
        return result;
    }
    static int has_weak_references(PyObject *value) {
        return Py_TYPE(value)->tp_weaklistoffset != 0 && *PyObject_GET_WEAKREFS_LISTPTR(value) != NULL;
    }
    /* Python's own returns another number than -1 for too deep. */
    static inline int enter_level(const char *where) { return Py_EnterRecursiveCall(where) ? -1 : 0; }
    #define DICT_OFFSET(kind) (((PyTypeObject *)(kind))->tp_dictoffset)
    #define VERSION(kind) (((PyTypeObject *)(kind))->tp_version_tag)
    """
    PyTypeObject PyUnicode_Type, PyLong_Type, PyFloat_Type, PyBool_Type, PyBytes_Type
    PyTypeObject PyTuple_Type, PyList_Type, PyDict_Type, PySet_Type, PyFrozenSet_Type, PyType_Type
    Py_ssize_t Py_REFCNT(PyObject *)
    bint PyType_IsSubtype(PyTypeObject *, PyTypeObject *)
    int enter_level(const char *) except -1
    void leave_level "Py_LeaveRecursiveCall"()
    object PyObject_GenericGetDict(object, void *)
    int PyObject_GenericSetAttr(object, object, object) except -1
    object new_instance(object)
    bint has_weak_references(PyObject *)
    Py_ssize_t DICT_OFFSET(PyTypeObject *)
    unsigned int VERSION(PyTypeObject *)

include "_c_stack.pxi"

cdef enum:
    DEEPEST = 200  # levels that are copied here: the C stack must never be the limit
    STRIDE = 8  # levels after which the room on the C stack is looked at again
    PATIENCE = 4096  # values that are copied before the handlers of signals have their turn
    MOST_PLANS = 1000
    HEAP_TYPE = 1 << 9  # of a class statement

cdef set _atomic = ATOMIC
cdef dict _copiers = _COPIERS
cdef dict _reducers = dispatch_table
cdef PyTypeObject *_deque = <PyTypeObject *>deque
cdef PyTypeObject *_enum = <PyTypeObject *>Enum


@cython.final
@cython.freelist(8)
cdef class Copying:
    """One message on its way: what has been copied, by identity, and how many values."""

    cdef dict memo
    cdef int steps


@cython.final
cdef class Plan:
    """How instances of a class are copied, while the class stays as it is."""

    cdef unsigned int version
    cdef bint is_plain
    cdef bint has_dict
    cdef list slots


cdef dict _plans = {}
cdef tuple _own_ways = ("__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs_ex__", "__getnewargs__")


def isolate(message, /):
    """Return `message`, or a copy of it that shares nothing mutable with it."""
    if is_atomic(message):
        return message
    cdef PyTypeObject *kind = Py_TYPE(message)
    if kind is not &PyList_Type and kind is not &PyDict_Type and is_immutable(message, 0):
        return message
    return copy(message, Copying(), 0)


cdef inline bint is_atomic(object value) except -1:
    cdef PyTypeObject *kind = Py_TYPE(value)
    if kind is &PyUnicode_Type or kind is &PyLong_Type or kind is &PyFloat_Type or kind is &PyBool_Type:
        return True
    if kind is &PyList_Type or kind is &PyDict_Type or kind is &PyTuple_Type:
        return False
    return PySet_Contains(_atomic, <object>kind)


cdef bint is_immutable(object value, int depth) except -1:
    """Like `_is_immutable` of the source. For values that are not atomic."""
    cdef PyTypeObject *kind = Py_TYPE(value)
    cdef object item
    cdef Py_ssize_t index
    if kind is not &PyTuple_Type and not (PyType_IsSubtype(kind, &PyTuple_Type) and DICT_OFFSET(kind) == 0):
        return PyType_IsSubtype(kind, &PyType_Type) or PyType_IsSubtype(kind, _enum)
    if depth and depth % STRIDE == 0:
        ensure_stack()
    if depth >= DEEPEST:
        return _is_immutable(value)
    for index in range(PyTuple_GET_SIZE(value)):
        item = <object>PyTuple_GET_ITEM(value, index)
        if not is_atomic(item):
            enter_level(b" while a message is looked at")
            try:
                if not is_immutable(item, depth + 1):
                    return False
            finally:
                leave_level()
    return True


cdef dict memo_of(Copying copying):
    if copying.memo is None:
        copying.memo = {}
    return copying.memo


cdef int remember(Copying copying, object value, object result) except -1:
    return PyDict_SetItem(memo_of(copying), PyLong_FromVoidPtr(<PyObject *>value), result)


cdef object known(Copying copying, object value):
    """Return what a value has been copied to, None when it has not been."""
    if copying.memo is None:
        return None
    return copying.memo.get(PyLong_FromVoidPtr(<PyObject *>value))


cdef inline object copied(object value, Copying copying, int depth):
    """Return an item of a container as it stands in the copy."""
    return value if is_atomic(value) else copy(value, copying, depth + 1)


cdef object copy(object value, Copying copying, int depth):
    """Like `_copy` of the source. For values that are not atomic, of which the caller holds one reference."""
    cdef PyTypeObject *kind = Py_TYPE(value)
    cdef bint is_shared = depth == 0 or Py_REFCNT(<PyObject *>value) > 2 or has_weak_references(<PyObject *>value)
    cdef object before
    if is_shared:
        before = known(copying, value)
        if before is not None:
            return before
    if depth % STRIDE == 0:
        ensure_stack()
    if depth >= DEEPEST:
        return _copy(value, memo_of(copying))
    copying.steps += 1
    if copying.steps >= PATIENCE:
        copying.steps = 0
        PyErr_CheckSignals()
    enter_level(b" while a message is copied")
    try:
        if kind is &PyList_Type:
            return copy_list(<list>value, is_shared, copying, depth)
        if kind is &PyDict_Type:
            return copy_dict(<dict>value, is_shared, copying, depth)
        if kind is &PyTuple_Type:
            return copy_tuple(<tuple>value, is_shared, copying, depth)
        if kind is &PySet_Type:
            return copy_set(<set>value, copying, depth)
        if kind is &PyFrozenSet_Type:
            return copy_frozenset(<frozenset>value, copying, depth)
        if kind is _deque:
            return copy_deque(value, copying, depth)
        return copy_other(value, is_shared, copying, depth)
    finally:
        leave_level()


cdef list copy_list(list value, bint is_shared, Copying copying, int depth):
    cdef Py_ssize_t index = 0
    cdef object item
    cdef list result
    while index < PyList_GET_SIZE(value):
        item = <object>PyList_GET_ITEM(value, index)
        if not is_atomic(item):
            break
        index += 1
    result = PyList_GetSlice(value, 0, index)
    if is_shared and (depth or index < PyList_GET_SIZE(value)):
        remember(copying, value, result)
    while index < PyList_GET_SIZE(value):
        item = <object>PyList_GET_ITEM(value, index)
        result.append(copied(item, copying, depth))
        index += 1
    return result


cdef dict copy_dict(dict value, bint is_shared, Copying copying, int depth):
    cdef dict result
    if is_flat(value):
        result = PyDict_Copy(value)
        if is_shared and depth:
            remember(copying, value, result)
        return result
    result = {}
    if is_shared:
        remember(copying, value, result)
    copy_items(value, result, copying, depth)
    return result


cdef bint is_flat(dict value) except -1:
    """Whether all keys and values are atomic."""
    cdef Py_ssize_t position = 0
    cdef PyObject *key_pointer
    cdef PyObject *item_pointer
    cdef object key, item
    while PyDict_Next(value, &position, &key_pointer, &item_pointer):
        key, item = <object>key_pointer, <object>item_pointer
        if not is_atomic(key) or not is_atomic(item):
            return False
    return True


cdef int copy_items(dict value, dict result, Copying copying, int depth) except -1:
    cdef Py_ssize_t position = 0
    cdef Py_ssize_t size = len(value), left = size
    cdef PyObject *key_pointer
    cdef PyObject *item_pointer
    cdef object key, item, new_key
    while PyDict_Next(value, &position, &key_pointer, &item_pointer):
        if left == 0:  # as Python says it where a key has taken the place of another one
            raise RuntimeError("dictionary keys changed during iteration")
        left -= 1
        key, item = <object>key_pointer, <object>item_pointer
        new_key = copied(key, copying, depth)
        PyDict_SetItem(result, new_key, copied(item, copying, depth))
        if len(value) != size:
            raise RuntimeError("dictionary changed size during iteration")
    return 0


cdef tuple copy_tuple(tuple value, bint is_shared, Copying copying, int depth):
    cdef Py_ssize_t index
    cdef Py_ssize_t size = PyTuple_GET_SIZE(value)
    cdef bint is_same = True
    cdef object item, new, before
    cdef list items = []
    for index in range(size):
        item = <object>PyTuple_GET_ITEM(value, index)
        new = copied(item, copying, depth)
        if new is not item:
            is_same = False
        items.append(new)
    if is_shared:
        before = known(copying, value)  # a cycle through the tuple has made it already
        if before is not None:
            return before
    cdef tuple result = value if is_same else tuple(items)
    if is_shared:
        remember(copying, value, result)
    return result


cdef set copy_set(set value, Copying copying, int depth):
    cdef object item
    cdef bint flat = True
    cdef set result
    for item in value:
        if not is_atomic(item):
            flat = False
            break
    if flat:
        result = set(value)
        remember(copying, value, result)
        return result
    result = set()
    remember(copying, value, result)  # first: an item may lead back to it
    cdef list items = []
    for item in value:
        items.append(copied(item, copying, depth))
    result.update(items)
    return result


cdef frozenset copy_frozenset(frozenset value, Copying copying, int depth):
    cdef object item, new, before
    cdef bint is_same = True
    cdef list items = []
    for item in value:
        new = copied(item, copying, depth)
        if new is not item:
            is_same = False
        items.append(new)
    before = known(copying, value)  # a cycle through an item has made it already
    if before is not None:
        return before
    cdef frozenset result = value if is_same else frozenset(items)
    remember(copying, value, result)
    return result


cdef object copy_deque(object value, Copying copying, int depth):
    cdef object item
    cdef object result = deque(maxlen=value.maxlen)
    cdef object append = result.append
    remember(copying, value, result)
    for item in value:
        append(copied(item, copying, depth))
    return result


cdef object copy_other(object value, bint is_shared, Copying copying, int depth):
    """Copy what is no container: an instance of a plain class here, anything else in the source's way."""
    cdef object kind = <object>Py_TYPE(value)
    cdef object copier = _copiers.get(kind)
    cdef object result
    cdef Plan plan
    ensure_stack()
    if copier is not None:
        return copier(value, memo_of(copying))
    if is_immutable(value, 0):
        return value
    plan = plan_for(kind)
    if not plan.is_plain or PyDict_Contains(_reducers, kind):
        return _copy(value, memo_of(copying))
    cdef dict attributes = None
    if plan.has_dict:
        found = PyObject_GenericGetDict(value, NULL)
        if type(found) is not dict or Py_REFCNT(<PyObject *>found) > 2 or has_own_way(<dict>found):
            return _copy(value, memo_of(copying))
        attributes = <dict>found
    try:
        result = new_instance(kind)
        if is_shared:
            remember(copying, value, result)
        fill(result, value, plan, attributes, copying, depth)
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # it cannot be taken apart, or not put together again
        if is_of_handler(error):
            raise
        result = value
        remember(copying, value, result)
    return result


cdef bint has_own_way(dict attributes) except -1:
    """Whether an instance says in an attribute how it is taken apart."""
    for name in _own_ways:
        if PyDict_Contains(attributes, name):
            return True
    return False


cdef int fill(object result, object value, Plan plan, dict attributes, Copying copying, int depth) except -1:
    cdef object item
    cdef list names = [], items = []
    if plan.slots is not None:
        for name in plan.slots:  # all of them first, as pickle does it
            try:
                items.append(getattr(value, name))
            except AttributeError:
                continue
            names.append(name)
    if attributes:
        copy_items(attributes, PyObject_GenericGetDict(result, NULL), copying, depth)
    for index in range(len(names)):
        item = items[index]
        items[index] = None
        PyObject_GenericSetAttr(result, names[index], copied(item, copying, depth))
    return 0


cdef Plan plan_for(object kind):
    cdef Plan plan = _plans.get(kind)
    if plan is not None and plan.version == VERSION(<PyTypeObject *>kind) and plan.version != 0:
        return plan
    plan = Plan()
    plan.is_plain = is_plain(kind)
    if plan.is_plain:
        plan.has_dict = DICT_OFFSET(<PyTypeObject *>kind) != 0
        plan.slots = _slotnames(kind) or None
        getattr(kind, "__deepcopy__", None)  # a look-up gives the class, as it is now, its version
    plan.version = VERSION(<PyTypeObject *>kind)
    if len(_plans) >= MOST_PLANS:
        _plans.clear()
    _plans[kind] = plan
    return plan


cdef bint is_plain(kind) except -1:
    """Whether pickle would take an instance apart into its attributes and slots, and nothing else."""
    try:
        if _is_handle(kind) or kind.__itemsize__ != 0 or not kind.__flags__ & HEAP_TYPE:
            return False
        for name in ("__reduce_ex__", "__reduce__", "__getattribute__", "__getstate__", "__new__"):
            if getattr(kind, name, None) is not getattr(object, name, None):
                return False
        for name in ("__deepcopy__", "__getnewargs_ex__", "__getnewargs__", "__setstate__", "__getattr__"):
            if hasattr(kind, name):
                return False
        slots = _slotnames(kind)
        if type(slots) is not list:
            return False
        pointers = len(slots) + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
        if kind.__basicsize__ > object.__basicsize__ + pointers * sizeof(void *):
            return False
        for base in type.__dict__["__mro__"].__get__(kind):
            if "__dict__" in vars(base) and type(vars(base)["__dict__"]) is not GetSetDescriptorType:
                return False
    except Exception:  # of a metaclass
        return False
    return True
