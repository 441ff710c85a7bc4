// What Swift does not import of libpq: the macros that name an error's fields, which are characters.
#ifndef CPOSTGRESQL_SHIM_H
#define CPOSTGRESQL_SHIM_H

#include <libpq-fe.h>

static const int CPQ_SQLSTATE = PG_DIAG_SQLSTATE;
static const int CPQ_MESSAGE = PG_DIAG_MESSAGE_PRIMARY;
static const int CPQ_TABLE = PG_DIAG_TABLE_NAME;
static const int CPQ_COLUMN = PG_DIAG_COLUMN_NAME;
static const int CPQ_CONSTRAINT = PG_DIAG_CONSTRAINT_NAME;

#endif
