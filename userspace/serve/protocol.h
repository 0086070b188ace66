/* protocol.h - what is said over the control socket. Layer: serve.
 *
 * The Contract fixes commands and documents, not the wire. One stream socket, STATE/control, mode 0600. Lines of JSON, UTF-8,
 * ended by '\n':
 *   server, on accept   {"schema": "vigil.control/1", "vigil": "0.1.0", "pid": 1}
 *   client, one line    {"control": 1, "command": "incidents", "args": {"status": "firing"}}       at most 8 KiB
 *   server, one line    {"control": 1, "exit": 0, "error": null, "document": {…}}                    at most 16 MiB
 *     or for a stream   {"control": 1, "stream": true}, then one line per object, then {"control": 1, "end": true, "exit": 0}
 * and the server closes. `exit` is the exit status the command must end with. A newer `control` than the server's is answered
 * with exit 69 and an error; unknown members are ignored. */
#pragma once

#define CONTROL_VERSION       1
#define CONTROL_SOCKET        "control" /* in the state directory; reached through /proc/self/fd so that long paths fit */
#define CONTROL_REQUEST_BYTES 8192
#define CONTROL_ANSWER_BYTES  (16u << 20)
#define CONTROL_CLIENTS       64    /* more wait in the backlog (64), then connect(2) fails */
#define CONTROL_REQUEST_MS    2000  /* a request must be whole by then */
#define CONTROL_SEND_MS       10000 /* a client that takes nothing for so long is dropped */
#define CONTROL_BACKLOG_BYTES                                                                                      \
        (1u << 20) /* a follower that is further behind is dropped, and told so if it can be */
