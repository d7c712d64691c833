/* What the C files share. */
#ifndef MEET_FASTPATH_H
#define MEET_FASTPATH_H

#include <Python.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define REVISION 2         /* native.py refuses another one: a stale build must not run */
#define MAX_PACKET 1456    /* bytes of header and payload; native.py and srtp.py have the same limit */
#define MAX_TRAILER 144    /* SRTP_MAX_TRAILER_LEN: libsrtp may write that much behind the packet */
#define CAPACITY 512       /* packets in the arena, about a millisecond of work; sendmmsg takes 1024 at most */
#define MAX_SEGMENTS 32    /* the kernel's own limit is 64 */
#define MAX_MESSAGE 60000  /* bytes of a segmented message; 65507 fit into a datagram */
#define MAX_DESCRIPTOR 64  /* bytes; VP8's is 6 at most */

typedef int (*protect_function)(void *session, void *packet, int *length);

typedef struct {
    PyObject_HEAD
    PyObject *traffic;  /* has packets_out and bytes_out */
    PyObject *tx, *path; /* what the fields below were made from; NULL before the first packet */
    void *session;      /* srtp_t, alive as long as tx */
    int fd, usable;
    int segments; /* 0 after the kernel refused a segmented message */
    socklen_t size;
    struct sockaddr_storage address;
    int first, last; /* the packets waiting in an outbox: indices of slots, -1 for none */
    const void *box; /* that outbox, to compare with only */
    unsigned long long packets, bytes;
} Route;

typedef struct {
    int next; /* slot of the same route, -1 at the end */
    uint16_t size;
    _Alignas(8) uint8_t data[MAX_PACKET + MAX_TRAILER + 4];
} Slot;

typedef struct {
    PyObject_HEAD
    protect_function protect;
    PyObject *resolve; /* (tx, path) -> (session, fd, sockaddr) or None */
    PyObject *name_tx, *name_path, *name_packets, *name_bytes, *name_send;
    unsigned long long sent, dropped;
    char held;
    int busy, segments, used, waiting;
    Route *touched[CAPACITY]; /* the routes that have packets in the arena, first come first */
    Route *owner[CAPACITY];   /* of each message */
    struct mmsghdr messages[CAPACITY];
    struct iovec parts[CAPACITY];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } controls[CAPACITY];
    Slot *arena;
} Outbox;

typedef struct {
    uint32_t ticks;
    uint16_t sequence;
    uint8_t marker;
    PyObject *descriptor, *payload; /* NULL: the entry is empty */
} Sent;

typedef struct {
    PyObject_HEAD
    PyObject *peer, *route; /* route: NULL or a Route */
    Sent *ring;
    unsigned int mask;
    unsigned int ssrc, timestamp_offset, last_timestamp;
    unsigned short sequence_offset, last_sequence, bound_at, fresh;
    unsigned short picture_offset;
    unsigned char tl0_offset, pt, tag;
    char pictures;
    double last_out;
    unsigned long long packets, octets;
    PyObject *newest; /* descriptor of the newest packet, as it came; NULL before it */
} Lane;

/* The packet as it came. Borrowed references. */
typedef struct {
    uint16_t sequence;
    uint32_t timestamp, send_time;
    uint8_t marker;
    int padding;
    double arrived;
    PyObject *descriptor, *payload;
} Numbers;

/* The packet as one subscriber gets it. `descriptor` is owned. */
typedef struct {
    uint16_t sequence;
    uint32_t ticks, send_time;
    uint8_t marker;
    int padding;
    PyObject *descriptor;
} Accepted;

extern PyTypeObject *RouteType, *LaneType, *OutboxType;
extern PyType_Spec lane_spec, outbox_spec;
extern PyMethodDef rows_methods[];

/* args: sequence, timestamp, marker, descriptor, send_time, arrived, padding. -1 with an exception. */
int numbers_read(Numbers *numbers, PyObject *const *args, PyObject *payload);
/* 1: send it; 0: it must not be sent; -1: exception. */
int lane_accept(Lane *lane, const Numbers *numbers, Accepted *accepted);
Py_ssize_t lane_header_size(const Lane *lane, const Accepted *accepted);
/* `out` has room for lane_header_size() bytes. */
void lane_write_header(const Lane *lane, const Accepted *accepted, uint8_t *out);

#endif
