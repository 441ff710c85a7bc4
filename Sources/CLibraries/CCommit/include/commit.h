#pragma once

/// The commit that farm was built from, with "-dirty" if something was not committed. "" if the build does not say
/// (scripts/commit.sh, by `make build`).
const char *farm_commit(void);
