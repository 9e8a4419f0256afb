"""The room that is left on the C stack, which programs may use up before they reach the recursion limit.

Compiled code calls code of the program's, which may call compiled code again. Each such round takes some of the C
stack. So whatever hands over to code of the program's, or to the sources, looks first how much is left. Greenlets run on
the stack of their thread, each at a place of its own, so the address of a local tells how much that is, whichever
greenlet runs.
"""

cdef extern from *:
    """
    #include <pthread.h>

    #ifdef __GLIBC__  /* which has room for it beside the thread's own: that saves a call */
    #define HOW_TO_FIND_IT __attribute__((tls_model("initial-exec")))
    #else
    #define HOW_TO_FIND_IT
    #endif
    #define MOST_RESERVED 131072  /* bytes that are left for what calls no compiled code; less on a small stack */

    /* Find where the stack of this thread ends. Returns 0 where that cannot be known. */
    static int find_stack(uintptr_t *end, size_t *size) {
    #if defined(__linux__)
        pthread_attr_t attributes;
        void *lowest;
        int failed;
        if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
        failed = pthread_attr_getstack(&attributes, &lowest, size);
        pthread_attr_destroy(&attributes);
        *end = (uintptr_t)lowest;
        return !failed;
    #elif defined(__APPLE__)
        *size = pthread_get_stacksize_np(pthread_self());
        *end = (uintptr_t)pthread_get_stackaddr_np(pthread_self()) - *size;
        return 1;
    #else
        return 0;
    #endif
    }
    /* The lowest address at which this thread may go on; the highest there is until it was looked for. */
    static __thread uintptr_t lowest_place HOW_TO_FIND_IT = UINTPTR_MAX;
    /* Look again, since the limit may have been raised. A place outside the thread's stack is that of a coroutine which
       has a stack of its own, of which nothing is known. */
    static __attribute__((noinline)) int is_out_of_stack(uintptr_t here) {
        uintptr_t end;
        size_t size, reserved;
        if (!find_stack(&end, &size)) {
            lowest_place = 0;
            return 0;
        }
        reserved = size / 8 < MOST_RESERVED ? size / 8 : MOST_RESERVED;
        lowest_place = end + reserved;
        if (here < end || here >= lowest_place) return 0;
        PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded: the C stack of this thread is used up");
        return 1;
    }
    /* Raise RecursionError where little of the C stack is left. Never inlined: the caller's frame stays as small as it is. */
    static __attribute__((noinline)) int ensure_stack(void) {
        uintptr_t here = (uintptr_t)__builtin_frame_address(0);
        return here < lowest_place && is_out_of_stack(here) ? -1 : 0;
    }
    """
    int ensure_stack() except -1
