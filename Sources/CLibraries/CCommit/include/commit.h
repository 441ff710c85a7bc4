#pragma once

/// The commit that farm was built from, with "-dirty" where something was not committed; "" where nobody said
/// (scripts/commit.sh, by `make build`).
const char *farm_commit(void);
