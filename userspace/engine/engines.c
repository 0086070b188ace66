/* engines.c - the registry of engines. */
#include "engine/engine.h"

const struct engine *const engines[] = {
        &engine_sqlite,
        NULL,
};
