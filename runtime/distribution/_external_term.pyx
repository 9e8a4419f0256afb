# cython: language_level=3, boundscheck=False, wraparound=False, nonecheck=True
"""The compiled form of what every message to and from a BEAM node passes: terms to bytes and back, and frames.

`term_encoder` and `term_decoder` say what the bytes are. Here are the values that most messages consist of. Every other
one is handed, where it stands, to the function there that writes or reads it; so is whatever is wrong, which raises
there what it raises. No code of the program's runs in between, so nothing changes while it is written.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItem, PyDict_Next, PyDict_Size
from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.object cimport Py_TYPE, PyObject, PyTypeObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.math cimport isfinite
from libc.string cimport memcpy

cimport cython

cdef extern from *:
    """
    static inline int is_ascii(PyObject *text) { return PyUnicode_IS_COMPACT_ASCII(text); }
    static inline const char *ascii_of(PyObject *text) { return (const char *)PyUnicode_1BYTE_DATA(text); }
    static inline unsigned int word_at(const unsigned char *place) {
        return (unsigned int)place[0] << 24 | (unsigned int)place[1] << 16 | (unsigned int)place[2] << 8 | place[3];
    }
    static inline double double_at(const unsigned char *place) {
        unsigned long long bits = (unsigned long long)word_at(place) << 32 | word_at(place + 4);
        double value;
        memcpy(&value, &bits, 8);
        return value;
    }
    static inline void put_word(char *place, unsigned int word) {
        place[0] = (char)(word >> 24); place[1] = (char)(word >> 16); place[2] = (char)(word >> 8); place[3] = (char)word;
    }
    static inline void put_double(char *place, double value) {
        unsigned long long bits;
        memcpy(&bits, &value, 8);
        put_word(place, (unsigned int)(bits >> 32));
        put_word(place + 4, (unsigned int)bits);
    }
    """
    PyTypeObject PyUnicode_Type, PyLong_Type, PyFloat_Type, PyBytes_Type, PyTuple_Type, PyList_Type, PyDict_Type
    PyObject *TRUE "Py_True"
    PyObject *FALSE "Py_False"
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    object PyUnicode_AsUTF8String(object)
    object PyUnicode_DecodeUTF8(const char *, Py_ssize_t, const char *)
    object PyTuple_New(Py_ssize_t)
    void PyTuple_SET_ITEM(object, Py_ssize_t, PyObject *)
    void Py_INCREF(PyObject *)
    long long PyLong_AsLongLongAndOverflow(object, int *) except? -1
    bint is_ascii(PyObject *)
    const char *ascii_of(PyObject *)
    unsigned int word_at(const unsigned char *)
    double double_at(const unsigned char *)
    void put_word(char *, unsigned int)
    void put_double(char *, double)

cdef enum:
    DEEPEST = 100  # levels that are handled here: the C stack must never be the limit
    ROOM = 512

sources = {}
"""The functions of the sources, by name."""

cdef PyTypeObject *_Atom = NULL
cdef object _unusual = object()


# -- Values to bytes ---------------------------------------------------------------------------------------------------


@cython.freelist(4)
cdef class Output:
    """Bytes that grow; the first ones lie in the object itself."""

    cdef char first[ROOM]
    cdef char *data
    cdef Py_ssize_t size, room

    def __cinit__(self):
        self.data, self.size, self.room = self.first, 0, ROOM

    def __dealloc__(self):
        if self.data != self.first:
            PyMem_Free(self.data)

    cdef char *reserve(self, Py_ssize_t more) except NULL:
        """Return where the next bytes go, and count them."""
        cdef char *new
        cdef Py_ssize_t at = self.size, room
        if at + more > self.room:
            room = 2 * self.room + more
            if self.data == self.first:
                new = <char *>PyMem_Malloc(room)
                if new != NULL:
                    memcpy(new, self.first, at)
            else:
                new = <char *>PyMem_Realloc(self.data, room)
            if new == NULL:
                raise MemoryError()
            self.data, self.room = new, room
        self.size = at + more
        return self.data + at

    cdef int append(self, object data) except -1:
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        memcpy(self.reserve(size), PyBytes_AS_STRING(data), size)
        return 0

    cdef int header(self, unsigned char tag, Py_ssize_t size) except -1:
        cdef char *place = self.reserve(5)
        place[0] = <char>tag
        put_word(place + 1, <unsigned int>size)
        return 0


@cython.freelist(4)
cdef class Encoding:
    """What one encoder knows, for the time of one term."""

    cdef object encoder, own_pid, nothing
    cdef dict atoms, pids


cdef int look() except -1:
    """Find the class of atoms, once: it is there when the first function is called."""
    global _Atom
    from runtime.terms.atom import Atom

    _Atom = <PyTypeObject *>Atom
    return 0


def encode(self, term):
    if _Atom is NULL:
        look()
    cdef Encoding encoding = Encoding.__new__(Encoding)
    encoding.encoder = self
    encoding.own_pid, encoding.nothing = self._own_pid, self._nothing
    encoding.atoms, encoding.pids = self._atoms, self._pids
    cdef Output out = Output.__new__(Output)
    out.reserve(1)[0] = <char>131
    if write(encoding, out, term, 0):
        return PyBytes_FromStringAndSize(out.data, out.size)
    return sources["encode"](self, term)


cdef bint write(Encoding encoding, Output out, object value, int depth) except -1:
    """Write a value. Returns False where the sources are to write the whole term, for what they raise."""
    cdef PyTypeObject *kind = <PyTypeObject *>Py_TYPE(value)
    cdef PyObject *found
    cdef Py_ssize_t size, number
    cdef char *place
    if kind is &PyLong_Type:
        return write_integer(encoding, out, value)
    if kind is _Atom:
        found = PyDict_GetItem(encoding.atoms, value)
        if found is NULL:
            return write_slowly(encoding, out, value)
        out.append(<object>found)
        return True
    if kind is &PyUnicode_Type:
        return write_text(out, value)
    if kind is &PyTuple_Type:
        size = PyTuple_GET_SIZE(value)
        if depth > DEEPEST:
            return False
        if size < 256:
            place = out.reserve(2)
            place[0], place[1] = <char>104, <char>size
        else:
            out.header(105, size)
        for number in range(size):
            if not write(encoding, out, <object>PyTuple_GET_ITEM(value, number), depth + 1):
                return False
        return True
    if kind is &PyList_Type:
        size = PyList_GET_SIZE(value)
        if depth > DEEPEST:
            return False
        if size:
            out.header(108, size)
            for number in range(size):
                if number >= PyList_GET_SIZE(value):
                    return False
                if not write(encoding, out, <object>PyList_GET_ITEM(value, number), depth + 1):
                    return False
        out.reserve(1)[0] = <char>106
        return True
    if value is None:
        out.append(encoding.nothing)
        return True
    if <PyObject *>value is TRUE or <PyObject *>value is FALSE:
        found = PyDict_GetItem(encoding.atoms, "true" if <PyObject *>value is TRUE else "false")
        if found is NULL:
            return write_slowly(encoding, out, value)
        out.append(<object>found)
        return True
    if kind is <PyTypeObject *>encoding.own_pid:
        found = PyDict_GetItem(encoding.pids, value.id)
        if found is NULL:
            return write_slowly(encoding, out, value)
        out.append(<object>found)
        return True
    if kind is &PyFloat_Type:
        if not isfinite(PyFloat_AS_DOUBLE(value)):
            return False
        place = out.reserve(9)
        place[0] = <char>70
        put_double(place + 1, PyFloat_AS_DOUBLE(value))
        return True
    if kind is &PyBytes_Type:
        size = PyBytes_GET_SIZE(value)
        if size > 0x7FFFFFFF:
            return False
        out.header(109, size)
        out.append(value)
        return True
    if kind is &PyDict_Type:
        return write_dict(encoding, out, value, depth)
    return write_slowly(encoding, out, value)


cdef bint write_slowly(Encoding encoding, Output out, object value) except -1:
    """Let the sources write a value. What they raise is raised by the whole term, which they write then."""
    cdef list parts = []
    try:
        encoding.encoder._write(value, parts.append)
    except (TypeError, RecursionError):
        return False
    for part in parts:
        if type(part) is not bytes:
            return False
        out.append(part)
    return True


cdef bint write_integer(Encoding encoding, Output out, object value) except -1:
    cdef int overflow = 0
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
    cdef unsigned long long rest
    cdef char *place
    cdef int size
    if overflow:
        return write_slowly(encoding, out, value)
    if 0 <= number < 256:
        place = out.reserve(2)
        place[0], place[1] = <char>97, <char>number
    elif -0x80000000 <= number <= 0x7FFFFFFF:
        place = out.reserve(5)
        place[0] = <char>98
        put_word(place + 1, <unsigned int>number)
    else:
        rest = <unsigned long long>number if number >= 0 else 0 - <unsigned long long>number
        place = out.reserve(11)
        place[0], place[2] = <char>110, <char>(number < 0)
        size = 0
        while rest:
            place[3 + size] = <char>(rest & 255)
            rest >>= 8
            size += 1
        place[1] = <char>size
        out.size -= 8 - size
    return True


cdef bint write_text(Output out, object value) except -1:
    cdef Py_ssize_t size
    cdef object data
    if is_ascii(<PyObject *>value):
        size = PyUnicode_GET_LENGTH(value)
        if size > 0x7FFFFFFF:
            return False
        out.header(109, size)
        memcpy(out.reserve(size), ascii_of(<PyObject *>value), size)
        return True
    try:
        data = PyUnicode_AsUTF8String(value)
    except UnicodeEncodeError:
        return False
    if PyBytes_GET_SIZE(data) > 0x7FFFFFFF:
        return False
    out.header(109, PyBytes_GET_SIZE(data))
    out.append(data)
    return True


cdef bint write_dict(Encoding encoding, Output out, object value, int depth) except -1:
    """Write a dict whose keys cannot be one key there: all texts, all integers or all atoms."""
    cdef PyObject *key
    cdef PyObject *item
    cdef PyTypeObject *kind = NULL
    cdef Py_ssize_t at = 0, size = PyDict_Size(value), count = 0
    if depth > DEEPEST:
        return False
    while PyDict_Next(value, &at, &key, &item):
        if kind is NULL:
            kind = <PyTypeObject *>Py_TYPE(<object>key)
            if kind is not &PyUnicode_Type and kind is not &PyLong_Type and kind is not _Atom:
                return write_slowly(encoding, out, value)
        elif <PyTypeObject *>Py_TYPE(<object>key) is not kind:
            return write_slowly(encoding, out, value)
    out.header(116, size)
    for name, content in list(value.items()):
        count += 1
        if not (write(encoding, out, name, depth + 1) and write(encoding, out, content, depth + 1)):
            return False
    return count == size


# -- Bytes to values ---------------------------------------------------------------------------------------------------


@cython.freelist(4)
cdef class Decoding:
    """What one decoder knows, for the time of one term."""

    cdef object decoder, data
    cdef dict atoms, pids
    cdef const unsigned char *place
    cdef Py_ssize_t size, at
    cdef object left
    cdef bint as_text


def decode_first(self, data, start):
    cdef Decoding decoding
    cdef object value
    if _Atom is NULL:
        look()
    if type(data) is not bytes or type(start) is not int:
        return sources["decode_first"](self, data, start)
    cdef Py_ssize_t at = start
    if at < 0 or at + 2 > PyBytes_GET_SIZE(data):
        return sources["decode_first"](self, data, start)
    decoding = Decoding.__new__(Decoding)
    decoding.decoder, decoding.data = self, data
    decoding.atoms, decoding.pids, decoding.as_text = self._atoms, self._pids, self._as_text
    decoding.place, decoding.size = <const unsigned char *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)
    decoding.at = at + 1
    if decoding.place[at] != 131 or decoding.place[at + 1] == 80:
        return sources["decode_first"](self, data, start)
    self._left = self._max_items
    value = read(decoding, 0)
    if value is _unusual:
        return sources["decode_first"](self, data, start)
    return value, decoding.at


cdef object read(Decoding decoding, int depth):
    """Return the next value; `_unusual` where the sources are to read the whole term, for what they raise."""
    cdef const unsigned char *place = decoding.place + decoding.at
    cdef Py_ssize_t left = decoding.size - decoding.at, size
    cdef PyObject *found
    cdef unsigned char tag
    if left < 2:
        return [] if left == 1 and place[0] == 106 and step(decoding, 1) else _unusual
    tag = place[0]
    if tag == 97:
        decoding.at += 2
        return place[1]
    if tag == 119:
        size = place[1]
        if left < 2 + size:
            return _unusual
        found = PyDict_GetItem(decoding.atoms, PyBytes_FromStringAndSize(<const char *>place + 2, size))
        if found is NULL:
            return read_slowly(decoding, depth)
        decoding.at += 2 + size
        return <object>found
    if tag == 104:
        return read_tuple(decoding, place[1], 2, depth)
    if tag == 106:
        decoding.at += 1
        return []
    if left < 5:
        return read_slowly(decoding, depth)
    size = word_at(place + 1)
    if tag == 98:
        decoding.at += 5
        return <int><unsigned int>size
    if tag == 109 and decoding.as_text:
        if left - 5 < size:
            return _unusual
        decoding.at += 5 + size
        try:
            return PyUnicode_DecodeUTF8(<const char *>place + 5, size, NULL)
        except UnicodeDecodeError:
            return PyBytes_FromStringAndSize(<const char *>place + 5, size)
    if tag == 88 and place[1] == 119:
        size = 15 + place[2]
        if left < size:
            return _unusual
        found = PyDict_GetItem(decoding.pids, PyBytes_FromStringAndSize(<const char *>place, size))
        if found is NULL:
            return read_slowly(decoding, depth)
        decoding.at += size
        return <object>found
    if tag == 108:
        return read_list(decoding, size, depth)
    if tag == 110 and place[1] <= 8 and left >= 3 + place[1]:
        return read_integer(decoding, place)
    if tag == 116:
        return read_map(decoding, size, depth)
    if tag == 70 and left >= 9 and isfinite(double_at(place + 1)):
        decoding.at += 9
        return double_at(place + 1)
    return read_slowly(decoding, depth)


cdef object read_integer(Decoding decoding, const unsigned char *place):
    """Return an integer of at most eight bytes."""
    cdef unsigned long long number = 0
    cdef int at = place[1]
    decoding.at += 3 + at
    while at:
        at -= 1
        number = number << 8 | place[3 + at]
    return -(<object>number) if place[2] else number


cdef inline bint step(Decoding decoding, Py_ssize_t size):
    decoding.at += size
    return True


cdef object read_slowly(Decoding decoding, int depth):
    """Let the sources read the next value. What they raise, they are to raise for the whole term."""
    try:
        value, at = decoding.decoder._read(decoding.data, decoding.at, depth)
    except Exception:
        return _unusual
    if at > decoding.size:
        return _unusual
    decoding.at = at
    return value


cdef bint count(Decoding decoding, Py_ssize_t size, int depth) except -1:
    """Return whether so many items may follow."""
    if size > decoding.size - decoding.at or depth > DEEPEST:
        return False
    decoding.decoder._left -= size
    return decoding.decoder._left >= 0


cdef object read_tuple(Decoding decoding, Py_ssize_t size, Py_ssize_t header, int depth):
    cdef object result, item
    cdef Py_ssize_t number
    decoding.at += header
    if not count(decoding, size, depth):
        return _unusual
    result = PyTuple_New(size)
    for number in range(size):
        item = read(decoding, depth + 1)
        if item is _unusual:
            return _unusual
        Py_INCREF(<PyObject *>item)
        PyTuple_SET_ITEM(result, number, <PyObject *>item)
    return result


cdef object read_map(Decoding decoding, Py_ssize_t size, int depth):
    """Return a map whose keys are plain values, and stay apart in a dict; every other one is for the sources."""
    cdef dict result = {}
    cdef object key, value
    cdef PyTypeObject *kind
    cdef Py_ssize_t number, begin = decoding.at
    cdef object left = decoding.decoder._left
    decoding.at += 5
    if not count(decoding, 2 * size, depth):
        return _unusual
    for number in range(size):
        key = read(decoding, depth + 1)
        if key is _unusual:
            return _unusual
        kind = <PyTypeObject *>Py_TYPE(key)
        if kind is not &PyUnicode_Type and kind is not &PyLong_Type and kind is not _Atom:
            break
        value = read(decoding, depth + 1)
        if value is _unusual:
            return _unusual
        result[key] = value
    if PyDict_Size(result) == size:
        return result
    decoding.at = begin
    decoding.decoder._left = left
    return read_slowly(decoding, depth)


cdef object read_list(Decoding decoding, Py_ssize_t size, int depth):
    """Return a list that ends as lists do; every other one is for the sources."""
    cdef list result = []
    cdef object item
    cdef Py_ssize_t number, begin = decoding.at
    cdef object left = decoding.decoder._left
    decoding.at += 5
    if not count(decoding, size, depth):
        return _unusual
    for number in range(size):
        item = read(decoding, depth + 1)
        if item is _unusual:
            return _unusual
        result.append(item)
    if decoding.at < decoding.size and decoding.place[decoding.at] == 106:
        decoding.at += 1
        return result
    decoding.at = begin
    decoding.decoder._left = left
    return read_slowly(decoding, depth)


# -- Frames ------------------------------------------------------------------------------------------------------------


def next_frame(self):
    cdef object buffer = self._buffer
    if type(buffer) is not bytes or self.frame is not None:
        return sources["next_frame"](self)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(buffer), at = self._at
    cdef const unsigned char *place = <const unsigned char *>PyBytes_AS_STRING(buffer)
    cdef Py_ssize_t length = 0
    while size - at >= 4:
        length = word_at(place + at)
        if length:
            break
        at += 4
    if not length or length > size - at - 4:
        self._at = at  # as the sources would see it: at the length, behind the ticks
        return sources["next_frame"](self)
    buffer = PyBytes_FromStringAndSize(<const char *>place + at + 4, length)
    self._at, self.frame = at + 4 + length, buffer
    return buffer
