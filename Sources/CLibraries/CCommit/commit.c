#include "commit.h"

// A function of a file of its own: a new commit compiles this file, and no module but `farm` anew.
const char *farm_commit(void) { return FARM_COMMIT; }
