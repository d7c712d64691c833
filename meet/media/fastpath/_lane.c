/* Lane: the numbers of one forwarded stream. The reference with all the reasons is meet/media/sfu/lane.py. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <Python.h>
#include <structmember.h>

#include <stdlib.h>
#include <string.h>

#include "_native.h"

#define FRESH 0x4000

static void put16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

/* Any int, reduced to 32 bits. -1 with an exception when it is none. */
static int read_number(PyObject *object, uint32_t *value) {
    unsigned long long number = PyLong_AsUnsignedLongLongMask(object);
    if (number == (unsigned long long)-1 && PyErr_Occurred()) return -1;
    *value = (uint32_t)number;
    return 0;
}

static int check_descriptor(PyObject *descriptor) {
    if (PyBytes_Check(descriptor) && PyBytes_Size(descriptor) <= MAX_DESCRIPTOR) return 0;
    PyErr_SetString(PyExc_ValueError, "the descriptor is a short bytes object");
    return -1;
}

int numbers_read(Numbers *numbers, PyObject *const *args, PyObject *payload) {
    uint32_t sequence, marker;
    if (read_number(args[0], &sequence) < 0 || read_number(args[1], &numbers->timestamp) < 0 ||
        read_number(args[2], &marker) < 0 || check_descriptor(args[3]) < 0 ||
        read_number(args[4], &numbers->send_time) < 0)
        return -1;
    numbers->arrived = PyFloat_AsDouble(args[5]);
    if (numbers->arrived == -1.0 && PyErr_Occurred()) return -1;
    numbers->padding = PyObject_IsTrue(args[6]);
    if (numbers->padding < 0) return -1;
    numbers->sequence = (uint16_t)sequence;
    numbers->marker = (uint8_t)marker & 0x80;
    numbers->send_time &= 0xFFFFFF;
    numbers->descriptor = args[3];
    numbers->payload = payload;
    return 0;
}

/* ---- VP8 descriptors (RFC 7741 section 4.2); every index is checked against the length ---- */

/* Bits of the picture id (7 or 15) and its value; 0 when there is none. */
static int picture_id(const uint8_t *d, Py_ssize_t size, uint16_t *value) {
    if (size < 3 || !(d[0] & 0x80) || !(d[1] & 0x80)) return 0;
    if (!(d[2] & 0x80)) {
        *value = d[2];
        return 7;
    }
    if (size < 4) return 0;
    *value = (uint16_t)((d[2] & 0x7F) << 8 | d[3]);
    return 15;
}

/* Position of TL0PICIDX; 0 when there is none. */
static Py_ssize_t tl0_at(const uint8_t *d, Py_ssize_t size) {
    if (size < 2 || !(d[0] & 0x80) || !(d[1] & 0x40)) return 0;
    Py_ssize_t at = 2;
    if (d[1] & 0x80) {
        if (size < 3) return 0;
        at += d[2] & 0x80 ? 2 : 1;
    }
    return at < size ? at : 0;
}

/* The descriptor as this subscriber must see it: a new reference. */
static PyObject *shift(const Lane *lane, PyObject *descriptor) {
    Py_ssize_t size = PyBytes_Size(descriptor);
    if (!lane->pictures || !size || (!lane->picture_offset && !lane->tl0_offset)) return Py_NewRef(descriptor);
    PyObject *made = PyBytes_FromStringAndSize(PyBytes_AsString(descriptor), size);
    if (!made) return NULL;
    uint8_t *d = (uint8_t *)PyBytes_AsString(made); /* ours alone until it is returned */
    uint16_t value;
    Py_ssize_t tl0 = tl0_at(d, size);
    if (tl0) d[tl0] = (uint8_t)(d[tl0] + lane->tl0_offset);
    switch (picture_id(d, size, &value)) {
    case 15:
        put16(d + 2, (uint16_t)(0x8000 | ((value + lane->picture_offset) & 0x7FFF)));
        break;
    case 7:
        d[2] = (uint8_t)((value + lane->picture_offset) & 0x7F);
        break;
    }
    return made;
}

/* Pictures go on counting from the newest one sent, whatever the source calls the next. */
static int switch_pictures(Lane *lane, PyObject *descriptor) {
    if (!lane->newest) return 0;
    PyObject *before = shift(lane, lane->newest);
    if (!before) return -1;
    const uint8_t *old = (const uint8_t *)PyBytes_AsString(before), *new = (const uint8_t *)PyBytes_AsString(descriptor);
    Py_ssize_t old_size = PyBytes_Size(before), new_size = PyBytes_Size(descriptor);
    uint16_t last, next;
    if (picture_id(old, old_size, &last) && picture_id(new, new_size, &next))
        lane->picture_offset = (uint16_t)(last + 1 - next) & 0x7FFF;
    Py_ssize_t last_at = tl0_at(old, old_size), next_at = tl0_at(new, new_size);
    if (last_at && next_at) lane->tl0_offset = (unsigned char)(old[last_at] + 1 - new[next_at]);
    Py_DECREF(before);
    return 0;
}

/* ---- numbering ---- */

int lane_accept(Lane *lane, const Numbers *numbers, Accepted *accepted) {
    if (lane->fresh) {
        lane->fresh--;
        if ((uint16_t)(numbers->sequence - lane->bound_at) >= 0x8000) return 0;
    }
    uint16_t out = (uint16_t)(numbers->sequence + lane->sequence_offset);
    Sent *entry = &lane->ring[out & lane->mask];
    if (entry->payload && entry->sequence == out) return 0;
    int newest = (uint16_t)(out - lane->last_sequence) < 0x8000;
    if (!newest && (uint16_t)(lane->last_sequence - out) > lane->mask) return 0;
    uint32_t ticks = numbers->timestamp + lane->timestamp_offset;
    PyObject *descriptor = shift(lane, numbers->descriptor);
    if (!descriptor) return -1;
    PyObject *freed[3] = {NULL, NULL, NULL};
    if (newest) {
        lane->last_sequence = out;
        lane->last_timestamp = ticks;
        lane->last_out = numbers->arrived;
        if (lane->pictures && PyBytes_Size(numbers->descriptor)) {
            freed[2] = lane->newest;
            lane->newest = Py_NewRef(numbers->descriptor);
        }
    }
    lane->packets++;
    lane->octets += (unsigned long long)(PyBytes_Size(descriptor) + PyBytes_Size(numbers->payload));
    *accepted = (Accepted){out, ticks, numbers->send_time, numbers->marker, numbers->padding, descriptor};
    if (!numbers->padding) {
        freed[0] = entry->descriptor;
        freed[1] = entry->payload;
        *entry = (Sent){ticks, out, numbers->marker, Py_NewRef(descriptor), Py_NewRef(numbers->payload)};
    }
    for (int i = 0; i < 3; i++) Py_XDECREF(freed[i]);
    return 1;
}

Py_ssize_t lane_header_size(const Lane *lane, const Accepted *accepted) {
    if (accepted->padding) return 12;
    return (lane->tag ? 20 : 12) + PyBytes_Size(accepted->descriptor);
}

void lane_write_header(const Lane *lane, const Accepted *accepted, uint8_t *out) {
    int extended = lane->tag && !accepted->padding;
    out[0] = accepted->padding ? 0xA0 : extended ? 0x90 : 0x80;
    out[1] = lane->pt | accepted->marker;
    put16(out + 2, accepted->sequence);
    put32(out + 4, accepted->ticks);
    put32(out + 8, lane->ssrc);
    if (extended) {
        put32(out + 12, 0xBEDE0001);
        put32(out + 16, (uint32_t)lane->tag << 24 | accepted->send_time);
    }
    if (!accepted->padding)
        memcpy(out + (extended ? 20 : 12), PyBytes_AsString(accepted->descriptor),
               (size_t)PyBytes_Size(accepted->descriptor));
}

/* ---- the type ---- */

static PyObject *lane_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwds)) {
    PyObject *route, *peer;
    unsigned int pt, ssrc, extension_id, ring, sequence, timestamp;
    int pictures;
    if (!PyArg_ParseTuple(args, "O!OIIIIpII", RouteType, &route, &peer, &pt, &ssrc, &extension_id, &ring, &pictures,
                          &sequence, &timestamp))
        return NULL;
    if (pt > 127 || extension_id > 14 || !ring || ring > 0x4000 || (ring & (ring - 1))) {
        PyErr_SetString(PyExc_ValueError, "pt is 7 bits, extension_id 0..14, ring a power of two up to 16384");
        return NULL;
    }
    Lane *self = (Lane *)PyType_GenericNew(type, NULL, NULL);
    if (!self) return NULL;
    self->ring = calloc(ring, sizeof *self->ring);
    if (!self->ring) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    self->route = Py_NewRef(route);
    self->peer = Py_NewRef(peer);
    self->mask = ring - 1;
    self->pt = (unsigned char)pt;
    self->ssrc = ssrc;
    self->tag = (unsigned char)(extension_id ? extension_id << 4 | 2 : 0);
    self->pictures = (char)pictures;
    self->last_sequence = (unsigned short)sequence;
    self->last_timestamp = timestamp;
    return (PyObject *)self;
}

static int lane_traverse(Lane *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->peer);
    Py_VISIT(self->route);
    return 0;
}

static int lane_clear(Lane *self) {
    Py_CLEAR(self->peer);
    Py_CLEAR(self->route);
    return 0;
}

static void lane_dealloc(Lane *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    lane_clear(self);
    Py_CLEAR(self->newest);
    for (unsigned int i = 0; self->ring && i <= self->mask; i++) {
        Py_CLEAR(self->ring[i].descriptor);
        Py_CLEAR(self->ring[i].payload);
    }
    free(self->ring);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *lane_bind(Lane *self, PyObject *args) {
    PyObject *first, *offset, *descriptor;
    uint32_t sequence, ticks;
    if (!PyArg_ParseTuple(args, "OOO", &first, &offset, &descriptor) || read_number(first, &sequence) < 0 ||
        read_number(offset, &ticks) < 0 || check_descriptor(descriptor) < 0)
        return NULL;
    if (self->pictures && PyBytes_Size(descriptor) && switch_pictures(self, descriptor) < 0) return NULL;
    self->timestamp_offset = ticks;
    self->sequence_offset = (unsigned short)(self->last_sequence + 1 - sequence);
    self->bound_at = (unsigned short)sequence;
    self->fresh = FRESH;
    Py_RETURN_NONE;
}

static PyObject *lane_header(Lane *self, PyObject *const *args, Py_ssize_t count) {
    Numbers numbers;
    Accepted accepted;
    if (count != 8 || !PyBytes_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "header(payload, and seven numbers of the packet)");
        return NULL;
    }
    if (numbers_read(&numbers, args + 1, args[0]) < 0) return NULL;
    int accept = lane_accept(self, &numbers, &accepted);
    if (accept < 0) return NULL;
    if (!accept) Py_RETURN_NONE;
    PyObject *made = PyBytes_FromStringAndSize(NULL, lane_header_size(self, &accepted));
    if (made) lane_write_header(self, &accepted, (uint8_t *)PyBytes_AsString(made));
    Py_DECREF(accepted.descriptor);
    return made;
}

static PyObject *lane_find(Lane *self, PyObject *number) {
    uint32_t sequence;
    if (read_number(number, &sequence) < 0) return NULL;
    const Sent *entry = &self->ring[sequence & self->mask];
    if (!entry->payload || entry->sequence != sequence) Py_RETURN_NONE;
    return Py_BuildValue("(IiOO)", (unsigned int)entry->ticks, (int)entry->marker, entry->descriptor, entry->payload);
}

static PyMethodDef lane_methods[] = {
    {"bind", (PyCFunction)lane_bind, METH_VARARGS, "Continue with another source."},
    {"header", (PyCFunction)(void (*)(void))lane_header, METH_FASTCALL, "The header to put before a payload."},
    {"find", (PyCFunction)lane_find, METH_O, "What was sent under a sequence number."},
    {NULL, NULL, 0, NULL},
};
static PyMemberDef lane_members[] = {
    {"peer", T_OBJECT_EX, offsetof(Lane, peer), READONLY, "whom it goes to"},
    {"pt", T_UBYTE, offsetof(Lane, pt), READONLY, "payload type"},
    {"ssrc", T_UINT, offsetof(Lane, ssrc), READONLY, "SSRC of the outgoing stream"},
    {"timestamp_offset", T_UINT, offsetof(Lane, timestamp_offset), READONLY, "added to incoming timestamps"},
    {"last_sequence", T_USHORT, offsetof(Lane, last_sequence), READONLY, "of the newest packet"},
    {"last_timestamp", T_UINT, offsetof(Lane, last_timestamp), READONLY, "of the newest packet"},
    {"last_out", T_DOUBLE, offsetof(Lane, last_out), READONLY, "arrival of the newest packet, seconds"},
    {"packets", T_ULONGLONG, offsetof(Lane, packets), 0, "sent so far"},
    {"octets", T_ULONGLONG, offsetof(Lane, octets), 0, "of payload sent so far"},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot lane_slots[] = {
    {Py_tp_doc, "Lane(route, peer, pt, ssrc, extension_id, ring, pictures, sequence, timestamp)"},
    {Py_tp_new, lane_new},
    {Py_tp_traverse, lane_traverse},
    {Py_tp_clear, lane_clear},
    {Py_tp_dealloc, lane_dealloc},
    {Py_tp_methods, lane_methods},
    {Py_tp_members, lane_members},
    {0, NULL},
};
PyType_Spec lane_spec = {
    "meet.media.fastpath._native.Lane", sizeof(Lane), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, lane_slots};
