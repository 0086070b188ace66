/* protocol.h - what is said over the control socket. Layer: serve.
 *
 * The Contract fixes commands and documents, not the wire. One stream socket, STATE/control, mode 0600. Lines of JSON, UTF-8,
 * ended by '\n'; what the server says of itself begins with `{"control"`:
 *   server, on accept   {"control": 1, "schema": "vigil.control/1", "vigil": "0.1.0", "pid": 1}
 *   client, one line    {"control": 1, "command": "incidents", "args": {"status": "firing"}}       at most 8 KiB
 *   server, one line    {"control": 1, "exit": 0, "error": null, "document": {…}}                    at most 16 MiB
 *     or for a stream   {"control": 1, "stream": true}, then one line per object, then
 *                       {"control": 1, "end": true, "exit": 0, "error": null}
 *     or to one of whom nothing was heard for CONTROL_YIELD_MS while others wait for his place, and who may ask again:
 *                       {"control": 1, "exit": 69, "error": "…", "document": null, "again": true}
 * and the server closes. `exit` is the exit status the command must end with, `error` one sentence for people or null. A newer
 * `control` than the server's is answered with exit 69 and an error; unknown members are ignored.
 *
 * What the commands ask. Everything in `args` may be missing but `id`; times are integers, ns since the epoch. An
 * id that nobody knows: exit 69 and an error.
 *   status                       {}                                  vigil.status/1
 *   health                       {}                                  vigil.health/1; exit 0 healthy, 1 degraded, 2 critical
 *   incidents                    {since_ns, status, database, limit} vigil.incidents/1
 *   incident                     {id}                                vigil.incidents/1 of one, and beside `incidents`
 *                                                                    `finding_details`: its findings as the report has them
 *   incident-ack, incident-resolve {id}                              vigil.incidents/1 of one, as it is then; twice is no error
 *   certificates                 {since_ns, database, limit}         vigil.certificates/1
 *   certificate                  {id}                                vigil.certificates/1 of one
 *   summary                      {since_ns, database, by}            vigil.summary/1; `by`: array of "db", "file", "process", "op"
 *   latency                      {database, why: true}               vigil.latency/1; `why` with where the time went
 *   jobs                         {id}                                vigil.jobs/1; without id all that run
 *   top                          {database}                          vigil.top/1
 *   events                       {since_ns, after, database, limit}  {"schema": "vigil.events/1", "events": [oldest first], "seq":
 *                                                                    number of the last of them, `after` where there are none}: the
 *                                                                    next page is behind it, until one is empty
 *   check                        {database, method: "quick", "full"} a stream, see daemon/asked.h; at last {"document": vigil.check/1}
 *   backup-create                {database, reason}                  the same; vigil.backups/1 with `result`
 *   reload                       {}                                  vigil.reload/1; exit 0 taken, 2 not
 *   events                       {follow: true, after, since_ns, database}  a stream of the events behind the number `after` */
#pragma once

#include <sys/un.h>

#define CONTROL_VERSION       1
#define CONTROL_SCHEMA        "vigil.control/1"
#define CONTROL_SOCKET        "control" /* in the state directory; reached through /proc/self/fd so that long paths fit */
#define CONTROL_REQUEST_BYTES 8192 /* with its '\n' */
#define CONTROL_ANSWER_BYTES  (16u << 20)
#define CONTROL_PENDING_BYTES                                                                                      \
        (32u << 20)                 /* answers that are not yet taken, of all clients; more are refused with 69 */
#define CONTROL_CLIENTS        64   /* more wait in the backlog */
#define CONTROL_QUEUED         64   /* the backlog; more wait in connect(2) */
#define CONTROL_FOLLOWERS      32   /* of the clients, streams: the others stay free for questions */
#define CONTROL_REQUEST_MS     2000 /* a request must be whole by then */
#define CONTROL_YIELD_MS       100 /* after it, one who has not sent a request gives way when all places are taken */
#define CONTROL_SEND_MS        10000      /* a client that takes nothing for so long is dropped */
#define CONTROL_BACKLOG_BYTES  (1u << 20) /* a follower that is further behind is told so and dropped */
#define CONTROL_ANSWER_WAIT_MS 10000      /* how long a client waits for a sign of life */

/**
 * Address of the socket in the directory that @p dirfd stands for, which must stay open while the address is used: sun_path
 * has 108 bytes, fewer than a path may have. Needs /proc.
 */
void control_address(int dirfd, struct sockaddr_un *ret);
