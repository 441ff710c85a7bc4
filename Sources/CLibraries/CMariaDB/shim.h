// Connector/C with the numbers of its errors and of the server's.
#ifndef CMARIADB_SHIM_H
#define CMARIADB_SHIM_H

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>

#endif
