"""How the callbacks of servers are found and called: a look at what has not changed, in the place of a look-up."""

cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000
    #ifndef Py_BUILD_CORE
    #define Py_BUILD_CORE 1
    #endif
    #include "internal/pycore_dict.h"
    /* Python gives a dict a new number at each change. As long as that stays, so does what was looked up in the dict. */
    #define CHANGES_OF(dict) (((PyDictObject *)(dict))->ma_version_tag)
    /* What `server.handle_cast` and the like are, for classes that were asked last. The version of a class changes with
       the class and its bases. An attribute of the server's own would come first: no server has one of that name, as long
       as the names that the instances of its class share are no more than they were, and its dict has not been asked for. */
    typedef struct {
        PyTypeObject *kind;
        PyDictKeysObject *names;
        Py_ssize_t count;
        unsigned int version;
        PyObject *function;
    } Callback;
    #define CALLBACKS 16
    #define NAMES_OF(kind) (((PyHeapTypeObject *)(kind))->ht_cached_keys)
    #define HAS_DICT(server) (((PyObject **)(server))[-3] != NULL)  /* that is where 3.11 keeps it */
    static inline int is_known(const Callback *known, PyTypeObject *kind, PyObject *server) {
        return known->kind == kind && known->version == kind->tp_version_tag && known->names == NAMES_OF(kind)
            && known->count == known->names->dk_nentries && !HAS_DICT(server);
    }
    static void note_callback(Callback *known, PyTypeObject *kind, PyObject *name) {
        PyObject *function = _PyType_Lookup(kind, name);
        PyDictKeysObject *names;
        known->kind = NULL;
        if (function == NULL || !PyFunction_Check(function) || kind->tp_getattro != PyObject_GenericGetAttr) return;
        if (!(kind->tp_flags & Py_TPFLAGS_MANAGED_DICT) || kind->tp_version_tag == 0) return;
        names = NAMES_OF(kind);
        if (names == NULL || !DK_IS_UNICODE(names)) return;
        for (Py_ssize_t index = 0; index < names->dk_nentries; index++) {
            PyObject *key = DK_UNICODE_ENTRIES(names)[index].me_key;
            if (key != NULL && PyUnicode_Compare(key, name) == 0) return;
        }
        known->kind = kind, known->version = kind->tp_version_tag, known->function = function;
        known->names = names, known->count = names->dk_nentries;
    }
    static inline PyObject *call_back(Callback *all, PyObject *name, PyObject **arguments, size_t count) {
        PyTypeObject *kind = Py_TYPE(arguments[0]);
        Callback *known = &all[((uintptr_t)kind >> 8) % CALLBACKS];
        PyObject *function, *result;
        if (!is_known(known, kind, arguments[0])) {
            note_callback(known, kind, name);
            return PyObject_VectorcallMethod(name, arguments, count, NULL);
        }
        function = known->function;
        Py_INCREF(function);
        result = ((PyFunctionObject *)function)->vectorcall(function, arguments, count, NULL);
        Py_DECREF(function);
        return result;
    }
    #else
    #define CHANGES_OF(dict) 0
    #define CALLBACKS 1
    typedef int Callback;
    #define call_back(all, name, arguments, count) ((void)(all), PyObject_VectorcallMethod(name, arguments, count, NULL))
    #endif
    static PyObject *call_handle_cast(PyObject *server, PyObject *name, PyObject *message) {
        static Callback known[CALLBACKS];
        PyObject *arguments[] = {server, message};
        return call_back(known, name, arguments, 2);
    }
    static PyObject *call_handle_info(PyObject *server, PyObject *name, PyObject *message) {
        static Callback known[CALLBACKS];
        PyObject *arguments[] = {server, message};
        return call_back(known, name, arguments, 2);
    }
    static PyObject *call_handle_call(PyObject *server, PyObject *name, PyObject *request, PyObject *origin) {
        static Callback known[CALLBACKS];
        PyObject *arguments[] = {server, request, origin};
        return call_back(known, name, arguments, 3);
    }
    """
    unsigned long long CHANGES_OF(object)
    object call_handle_cast(object, object, object)
    object call_handle_info(object, object, object)
    object call_handle_call(object, object, object, object)
