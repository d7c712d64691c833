/* The hot path of the media server, compiled: Lane, Route and Outbox.
 *
 * `Lane` does what meet/media/sfu/lane.py does, line by line: that file is the reference, and the same tests run on
 * both. `Outbox` takes one payload and many lanes, writes header and payload side by side into its arena, encrypts in
 * place with the libsrtp that pylibsrtp carries (its address is handed in), and sends everything at the end of the
 * burst: one sendmmsg(2) for all, and packets of one size to one address as a single UDP_SEGMENT (GSO) message.
 * `Route` caches where one peer's packets go: session, socket, address.
 *
 * Only Python's stable ABI (3.11) is used. Everything runs with the GIL held, but for the system call.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <Python.h>

#include "_native.h"

PyTypeObject *RouteType, *LaneType, *OutboxType;

/* ---- Route ---- */

static PyObject *route_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwds)) {
    PyObject *traffic;
    if (!PyArg_ParseTuple(args, "O", &traffic)) return NULL;
    Route *self = (Route *)PyType_GenericNew(type, NULL, NULL);
    if (!self) return NULL;
    self->traffic = Py_NewRef(traffic);
    self->first = self->last = -1;
    return (PyObject *)self;
}

static int route_traverse(Route *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->traffic);
    Py_VISIT(self->tx);
    Py_VISIT(self->path);
    return 0;
}

static int route_clear(Route *self) {
    Py_CLEAR(self->traffic);
    Py_CLEAR(self->tx);
    Py_CLEAR(self->path);
    self->usable = 0;
    return 0;
}

static void route_dealloc(Route *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    route_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyType_Slot route_slots[] = {
    {Py_tp_doc, "Route(traffic): where the packets of one peer go, and the counters they are added to."},
    {Py_tp_new, route_new},
    {Py_tp_traverse, route_traverse},
    {Py_tp_clear, route_clear},
    {Py_tp_dealloc, route_dealloc},
    {0, NULL},
};
static PyType_Spec route_spec = {
    "meet.media.fastpath._native.Route", sizeof(Route), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, route_slots};

/* ---- module ---- */

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", "The compiled fast path.", -1,
                                        rows_methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void) {
    PyObject *module = PyModule_Create(&definition);
    if (!module) return NULL;
    struct { const char *name; PyType_Spec *spec; PyTypeObject **type; } types[] = {
        {"Route", &route_spec, &RouteType}, {"Lane", &lane_spec, &LaneType}, {"Outbox", &outbox_spec, &OutboxType}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        PyObject *type = PyType_FromSpec(types[i].spec);
        if (!type || PyModule_AddObjectRef(module, types[i].name, type) < 0) {
            Py_XDECREF(type);
            Py_DECREF(module);
            return NULL;
        }
        *types[i].type = (PyTypeObject *)type;
    }
    if (PyModule_AddIntConstant(module, "REVISION", REVISION) < 0 ||
        PyModule_AddIntConstant(module, "MAX_PACKET", MAX_PACKET) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
