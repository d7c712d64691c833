/* What the recorder does to planes of pictures, line by line as meet/recorder/composer/rows.py, which is the
 * reference; the same tests run on both. Needs nothing of the other C files. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <string.h>

#include "_native.h"

#define AHEAD 4 /* lines; where a picture is written lies in no cache: 5 of 23 microseconds for 640x360 */

/* Rows whose items lie side by side, of `size` bytes each. -1 with an exception. */
static int rows_of(PyObject *object, Py_buffer *view, int flags, Py_ssize_t size) {
    if (PyObject_GetBuffer(object, view, PyBUF_STRIDES | flags) < 0) return -1;
    if (view->ndim == 2 && view->itemsize == size && view->strides[1] == size) return 0;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_ValueError, "not a plane");
    return -1;
}

static PyObject *copy(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 3) return PyErr_Format(PyExc_TypeError, "copy takes 3 arguments, not %zd", count);
    Py_ssize_t line = PyLong_AsSsize_t(args[2]);
    if (line == -1 && PyErr_Occurred()) return NULL;
    Py_buffer into, from;
    if (rows_of(args[0], &into, PyBUF_WRITABLE, 1) < 0) return NULL;
    if (PyObject_GetBuffer(args[1], &from, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&into);
        return NULL;
    }
    Py_ssize_t rows = into.shape[0], width = into.shape[1], stride = into.strides[0];
    int fits = line > 0 && width <= line && rows <= from.len / line;
    if (fits) {
        char *to = into.buf;
        const char *what = from.buf;
        for (Py_ssize_t row = 0; row < rows; row++, to += stride, what += line) {
            if (row + AHEAD < rows)
                for (Py_ssize_t at = 0; at < width; at += 64) __builtin_prefetch(to + AHEAD * stride + at, 1);
            memcpy(to, what, (size_t)width);
        }
    } else {
        PyErr_SetString(PyExc_ValueError, "the plane is smaller than where it goes");
    }
    PyBuffer_Release(&into);
    PyBuffer_Release(&from);
    return fits ? Py_NewRef(Py_None) : NULL;
}

/* Without the attribute, -O2 leaves the loop to go byte by byte. */
__attribute__((optimize("O3")))
static void blend_row(uint8_t *restrict row, const uint16_t *restrict keep, const uint16_t *restrict add, Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++) row[i] = (uint8_t)((uint16_t)(row[i] * keep[i] + add[i]) >> 8);
}

static PyObject *blend(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 3) return PyErr_Format(PyExc_TypeError, "blend takes 3 arguments, not %zd", count);
    Py_buffer views[3];
    for (int i = 0; i < 3; i++)
        if (rows_of(args[i], &views[i], i ? 0 : PyBUF_WRITABLE, i ? 2 : 1) < 0) {
            while (i--) PyBuffer_Release(&views[i]);
            return NULL;
        }
    Py_ssize_t rows = views[0].shape[0], width = views[0].shape[1];
    int fits = 1;
    for (int i = 1; i < 3; i++) fits &= views[i].shape[0] == rows && views[i].shape[1] == width;
    for (Py_ssize_t row = 0; fits && row < rows; row++) {
        char *at[3];
        for (int i = 0; i < 3; i++) at[i] = (char *)views[i].buf + row * views[i].strides[0];
        blend_row((uint8_t *)at[0], (const uint16_t *)at[1], (const uint16_t *)at[2], width);
    }
    for (int i = 0; i < 3; i++) PyBuffer_Release(&views[i]);
    if (!fits) PyErr_SetString(PyExc_ValueError, "the planes are of different sizes");
    return fits ? Py_NewRef(Py_None) : NULL;
}

PyMethodDef rows_methods[] = {
    {"copy", (PyCFunction)(void (*)(void))copy, METH_FASTCALL, "copy(into, plane, line_size): a picture's plane, cut to size."},
    {"blend", (PyCFunction)(void (*)(void))blend, METH_FASTCALL, "blend(view, keep, add): view = (view * keep + add) / 256."},
    {NULL, NULL, 0, NULL},
};
