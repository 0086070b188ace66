/* fuzz_request.c - what comes in over the control socket may be anything. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/protocol.h"
#include "serve/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct control_request r = {0};
        int err = control_request_parse((const char *)data,
                                        size < CONTROL_REQUEST_BYTES ? size : CONTROL_REQUEST_BYTES, &r);
        if (err < 0) {
                if (r.line || (err != -EINVAL && err != -EPROTONOSUPPORT))
                        abort();
                return 0;
        }
        if (!*r.command || strlen(r.command) > REQUEST_COMMAND_MAX || !json_is_object(r.args))
                abort();
        control_request_done(&r);
        return 0;
}
