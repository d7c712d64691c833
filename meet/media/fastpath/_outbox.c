/* Outbox: one payload and many lanes in, encrypted datagrams out. See _native.c for the whole. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <Python.h>
#include <structmember.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "_native.h"

/* Brings the route up to date with the peer. 1: usable; 0: this peer is Python's business; -1: exception. */
static int route_resolve(Outbox *box, Route *route, PyObject *peer) {
    PyObject *tx = PyObject_GetAttr(peer, box->name_tx);
    if (!tx) return -1;
    PyObject *path = PyObject_GetAttr(peer, box->name_path);
    if (!path) {
        Py_DECREF(tx);
        return -1;
    }
    if (tx == route->tx && path == route->path) { /* kept alive by the route, so no other object has their address */
        Py_DECREF(tx);
        Py_DECREF(path);
        return route->usable;
    }
    PyObject *old_tx = route->tx, *old_path = route->path;
    route->tx = tx;
    route->path = path;
    route->usable = 0;
    Py_XDECREF(old_tx);
    Py_XDECREF(old_path);
    PyObject *answer = PyObject_CallFunctionObjArgs(box->resolve, tx, path, NULL);
    if (!answer) return -1;
    if (answer != Py_None) {
        unsigned long long session;
        int fd;
        const char *address;
        Py_ssize_t size;
        if (!PyArg_ParseTuple(answer, "Kiy#", &session, &fd, &address, &size)) {
            Py_DECREF(answer);
            return -1;
        }
        if (session && fd >= 0 && size > 0 && (size_t)size <= sizeof route->address) {
            memcpy(&route->address, address, (size_t)size);
            route->size = (socklen_t)size;
            route->fd = fd;
            route->session = (void *)(uintptr_t)session;
            route->usable = 1;
            route->segments = 1;
        }
    }
    Py_DECREF(answer);
    return route->usable;
}

static PyObject *outbox_new(PyTypeObject *type, PyObject *args, PyObject *kwds) {
    static char *names[] = {"protect", "resolve", "segments", NULL};
    unsigned long long protect;
    PyObject *resolve;
    int segments = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "KO|p", names, &protect, &resolve, &segments)) return NULL;
    if (!protect) {
        PyErr_SetString(PyExc_ValueError, "protect is the address of srtp_protect");
        return NULL;
    }
    Outbox *self = (Outbox *)PyType_GenericNew(type, NULL, NULL);
    if (!self) return NULL;
    self->protect = (protect_function)(uintptr_t)protect;
    self->resolve = Py_NewRef(resolve);
    self->segments = segments;
    self->arena = calloc(CAPACITY, sizeof *self->arena);
    self->name_tx = PyUnicode_InternFromString("tx");
    self->name_path = PyUnicode_InternFromString("path");
    self->name_packets = PyUnicode_InternFromString("packets_out");
    self->name_bytes = PyUnicode_InternFromString("bytes_out");
    self->name_send = PyUnicode_InternFromString("send_rtp");
    if (!self->name_tx || !self->name_path || !self->name_packets || !self->name_bytes || !self->name_send ||
        !self->arena) {
        Py_DECREF(self);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static int outbox_traverse(Outbox *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->resolve);
    for (int i = 0; i < self->waiting; i++) Py_VISIT(self->touched[i]);
    return 0;
}

static int outbox_clear(Outbox *self) {
    int waiting = self->waiting;
    self->waiting = self->used = 0;
    for (int i = 0; i < waiting; i++) {
        self->touched[i]->first = self->touched[i]->last = -1;
        Py_CLEAR(self->touched[i]);
    }
    Py_CLEAR(self->resolve);
    return 0;
}

static void outbox_dealloc(Outbox *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    outbox_clear(self);
    Py_CLEAR(self->name_tx);
    Py_CLEAR(self->name_path);
    Py_CLEAR(self->name_packets);
    Py_CLEAR(self->name_bytes);
    Py_CLEAR(self->name_send);
    free(self->arena);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

/* EIO: the device cannot; EINVAL, EMSGSIZE: the MTU on this way is smaller than a packet, or no checksums. */
static int refuses_segments(int error) {
    return error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP;
}

/* One slot after the other as a message of its own; for routes whose kernel or device refuses segmentation. */
static void send_singly(Outbox *self, int message) {
    struct msghdr *whole = &self->messages[message].msg_hdr;
    for (size_t i = 0; i < whole->msg_iovlen; i++) {
        struct iovec *part = &whole->msg_iov[i];
        ssize_t done;
        do done = sendto(self->owner[message]->fd, part->iov_base, part->iov_len, MSG_DONTWAIT, whole->msg_name,
                         whole->msg_namelen);
        while (done < 0 && errno == EINTR);
        if (done < 0) self->dropped++;
        else self->sent++;
    }
}

/* Messages begin..end-1 leave over one socket. A full buffer loses the packet, as a network would. No GIL. */
static void send_messages(Outbox *self, int begin, int end) {
    while (begin < end) {
        int done = sendmmsg(self->owner[begin]->fd, self->messages + begin, (unsigned)(end - begin), MSG_DONTWAIT);
        if (done > 0) {
            for (int i = 0; i < done; i++) self->sent += self->messages[begin + i].msg_hdr.msg_iovlen;
            begin += done;
            continue;
        }
        if (done < 0 && errno == EINTR) continue;
        size_t packets = self->messages[begin].msg_hdr.msg_iovlen;
        if (packets > 1 && refuses_segments(errno)) {
            self->owner[begin]->segments = 0;
            send_singly(self, begin);
        } else {
            self->dropped += packets;
        }
        begin++;
    }
}

/* Packets of one route, in order: runs of one size (the last may be shorter) become one message. */
static int build_messages(Outbox *self) {
    int count = 0, part = 0;
    for (int i = 0; i < self->waiting; i++) {
        Route *route = self->touched[i];
        for (int at = route->first; at >= 0;) {
            struct mmsghdr *message = &self->messages[count];
            uint16_t size = self->arena[at].size;
            size_t total = 0;
            int first = part, ended = 0;
            do {
                Slot *slot = &self->arena[at];
                self->parts[part++] = (struct iovec){slot->data, slot->size};
                total += slot->size;
                ended = slot->size < size;
                at = slot->next;
            } while (self->segments && route->segments && !ended && at >= 0 && self->arena[at].size <= size &&
                     part - first < MAX_SEGMENTS && total + self->arena[at].size <= MAX_MESSAGE);
            memset(message, 0, sizeof *message);
            message->msg_hdr.msg_name = &route->address;
            message->msg_hdr.msg_namelen = route->size;
            message->msg_hdr.msg_iov = &self->parts[first];
            message->msg_hdr.msg_iovlen = (size_t)(part - first);
            if (part - first > 1) {
                message->msg_hdr.msg_control = self->controls[count].bytes;
                message->msg_hdr.msg_controllen = sizeof self->controls[count].bytes;
                struct cmsghdr *control = CMSG_FIRSTHDR(&message->msg_hdr);
                control->cmsg_level = SOL_UDP;
                control->cmsg_type = UDP_SEGMENT;
                control->cmsg_len = CMSG_LEN(sizeof size);
                memcpy(CMSG_DATA(control), &size, sizeof size);
            }
            self->owner[count++] = route;
        }
    }
    return count;
}

static int add_to(PyObject *object, PyObject *name, unsigned long long more) {
    PyObject *before = PyObject_GetAttr(object, name), *step = PyLong_FromUnsignedLongLong(more);
    PyObject *after = before && step ? PyNumber_Add(before, step) : NULL;
    int failed = !after || PyObject_SetAttr(object, name, after) < 0;
    Py_XDECREF(before);
    Py_XDECREF(step);
    Py_XDECREF(after);
    return failed ? -1 : 0;
}

static int flush(Outbox *self) {
    if (self->busy || !self->used) return 0;
    int count = build_messages(self), failed = 0;
    self->busy = 1;
    Py_BEGIN_ALLOW_THREADS;
    for (int begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && self->owner[end]->fd == self->owner[begin]->fd;) end++;
        send_messages(self, begin, end);
    }
    Py_END_ALLOW_THREADS;
    int waiting = self->waiting;
    self->waiting = self->used = 0;
    for (int i = 0; i < waiting; i++) {
        Route *route = self->touched[i];
        self->touched[i] = NULL;
        route->first = route->last = -1;
        if (!failed && route->traffic &&
            (add_to(route->traffic, self->name_packets, route->packets) < 0 ||
             add_to(route->traffic, self->name_bytes, route->bytes) < 0))
            failed = -1;
        route->packets = route->bytes = 0;
        Py_DECREF(route);
    }
    self->busy = 0;
    return failed;
}

static PyObject *outbox_flush(Outbox *self, PyObject *Py_UNUSED(none)) {
    self->held = 0;
    if (flush(self) < 0) return NULL;
    Py_RETURN_NONE;
}

static int refuse_while_busy(void) {
    PyErr_SetString(PyExc_RuntimeError, "fan_out while another thread sends");
    return -1;
}

/* Header and payload into the next free slot, encrypted there. 0, or -1 with an exception. */
static int queue(Outbox *self, Lane *lane, const Accepted *accepted, const char *payload, Py_ssize_t size) {
    Route *route = (Route *)lane->route;
    Py_ssize_t head = lane_header_size(lane, accepted);
    if (head + size > MAX_PACKET) {
        self->dropped++;
        return 0;
    }
    if (self->busy) return refuse_while_busy(); /* Python ran since fan_out looked, and with it another thread */
    if (self->used == CAPACITY && flush(self) < 0) return -1;
    Slot *slot = &self->arena[self->used];
    lane_write_header(lane, accepted, slot->data);
    memcpy(slot->data + head, payload, (size_t)size);
    int length = (int)(head + size);
    if (self->protect(route->session, slot->data, &length) != 0 || length <= 0 || length > (int)sizeof slot->data) {
        self->dropped++;
        return 0;
    }
    slot->size = (uint16_t)length;
    slot->next = -1;
    if (route->first < 0) {
        self->touched[self->waiting++] = (Route *)Py_NewRef((PyObject *)route);
        route->first = self->used;
        route->box = self;
    } else {
        self->arena[route->last].next = self->used;
    }
    route->last = self->used++;
    route->packets++;
    route->bytes += (unsigned long long)(head + size);
    return 0;
}

/* What cannot be queued (TCP, a peer that is not connected) takes the way of Python: peer.send_rtp(packet). */
static int hand_over(Outbox *self, Lane *lane, const Accepted *accepted, const char *payload, Py_ssize_t size) {
    Py_ssize_t head = lane_header_size(lane, accepted);
    PyObject *packet = PyBytes_FromStringAndSize(NULL, head + size);
    if (!packet) return -1;
    char *bytes = PyBytes_AsString(packet);
    lane_write_header(lane, accepted, (uint8_t *)bytes);
    memcpy(bytes + head, payload, (size_t)size);
    PyObject *done = PyObject_CallMethodObjArgs(lane->peer, self->name_send, packet, NULL);
    Py_DECREF(packet);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyObject *outbox_fan_out(Outbox *self, PyObject *const *args, Py_ssize_t count) {
    Numbers numbers;
    if (count != 9 || !PyBytes_Check(args[0]) || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "fan_out(payload, lanes, and seven numbers of the packet)");
        return NULL;
    }
    if (numbers_read(&numbers, args + 2, args[0]) < 0) return NULL;
    if (self->busy) {
        refuse_while_busy();
        return NULL;
    }
    const char *payload = PyBytes_AsString(args[0]);
    Py_ssize_t size = PyBytes_Size(args[0]);
    int failed = 0;
    for (Py_ssize_t i = 0; !failed && i < PyList_Size(args[1]); i++) {
        PyObject *item = PyList_GetItem(args[1], i);
        if (!item || !PyObject_TypeCheck(item, LaneType)) {
            PyErr_SetString(PyExc_TypeError, "destinations are lanes of this outbox");
            failed = 1;
            break;
        }
        Lane *lane = (Lane *)Py_NewRef(item);
        Accepted accepted;
        int accept = lane_accept(lane, &numbers, &accepted);
        if (accept > 0) {
            Route *route = (Route *)lane->route;
            int usable = route ? route_resolve(self, route, lane->peer) : 0;
            if (usable > 0 && route->first >= 0 && route->box != self) usable = 0; /* waits in another outbox */
            failed = usable < 0 || (usable ? queue : hand_over)(self, lane, &accepted, payload, size) < 0;
            Py_DECREF(accepted.descriptor);
        } else {
            failed = accept < 0;
        }
        Py_DECREF(lane);
    }
    if (!self->held && !failed && flush(self) < 0) failed = 1;
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef outbox_methods[] = {
    {"fan_out", (PyCFunction)(void (*)(void))outbox_fan_out, METH_FASTCALL, "Queue one payload for many lanes."},
    {"flush", (PyCFunction)outbox_flush, METH_NOARGS, "Send everything; ends a burst."},
    {NULL, NULL, 0, NULL},
};
static PyMemberDef outbox_members[] = {
    {"sent", T_ULONGLONG, offsetof(Outbox, sent), READONLY, "packets given to the kernel"},
    {"dropped", T_ULONGLONG, offsetof(Outbox, dropped), READONLY, "packets given up"},
    {"held", T_BOOL, offsetof(Outbox, held), 0, "within a burst: send at its end"},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot outbox_slots[] = {
    {Py_tp_doc, "Outbox(protect, resolve, segments=True): queues, encrypts and sends."},
    {Py_tp_new, outbox_new},
    {Py_tp_traverse, outbox_traverse},
    {Py_tp_clear, outbox_clear},
    {Py_tp_dealloc, outbox_dealloc},
    {Py_tp_methods, outbox_methods},
    {Py_tp_members, outbox_members},
    {0, NULL},
};
PyType_Spec outbox_spec = {
    "meet.media.fastpath._native.Outbox", sizeof(Outbox), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, outbox_slots};
